"""Entry point of the ``studio`` command: joins the command line and the screen, which do not know each other."""

import gc

from studio.application.screen_options import ScreenOptions
from studio.cli import main as carry_out


def open_screen(options: ScreenOptions) -> int:
    """Run the screen; returns the exit status. Raises `StudioError` when it cannot come up."""
    # Lazy, and in two steps: no other command pays for the screen, and the person sees a line before it is loaded.
    from studio.tui.splash import write_splash

    write_splash(options)
    # Nothing that is loaded now ever becomes garbage: looking for some takes a sixth of the time. `start` goes on with
    # it after the first picture.
    gc.disable()
    from studio.tui.starting import start

    return start(options)


def main() -> int:
    """Carry out the command line of this process; returns the exit status."""
    return carry_out(open_screen=open_screen)


if __name__ == "__main__":
    raise SystemExit(main())
