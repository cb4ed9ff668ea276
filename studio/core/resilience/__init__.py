"""Policies that return decisions as values: what to do about a failure, and in which order to undo."""
