"""How servers send messages to each other: `base` says what each member must do, `registry` lists the members."""
