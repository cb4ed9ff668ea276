"""Whose name actions are recorded under."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping


def default_actor(environ: Mapping[str, str]) -> str:
    """Who acts when nobody says: ``STUDIO_ACTOR``, else the user's login name, else their number."""
    named = environ.get("STUDIO_ACTOR")
    if named:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user in the system's list, as in some containers
        return f"uid {os.getuid()}"
