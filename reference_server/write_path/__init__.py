"""How a post becomes a committed message: `base` says what each member must do, `registry` lists the members."""
