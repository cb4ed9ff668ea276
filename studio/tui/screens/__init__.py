"""What fills the terminal: the main screen and what opens over it."""
