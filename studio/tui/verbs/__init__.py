"""What each action of the table does: one function per action, found by its id."""
