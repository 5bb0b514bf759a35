"""Reading from the message log what the backplane did not bring."""
