"""User code in processes of its own.

What runs below this package runs outside the engine: a small process (the zygote) that forks one child per
attempt, templates that have a project's modules imported already, and warm workers that answer many calls.
Nothing here imports the engine's libraries, so that a fork stays small and fast; `framing` and `envelope`
are shared with the engine's side.
"""
