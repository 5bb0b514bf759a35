"""The ways in which servers tell each other of messages; base says what each must do."""
