"""Workflow Studio: a debugger for workflows that lives in the terminal."""

__version__ = "0.1.0"
