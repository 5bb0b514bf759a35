"""Where committed messages are kept: `base` says what a log must do, `postgresql` does it."""
