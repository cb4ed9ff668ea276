"""What is known about an error of user code, a child process or the definition."""

import msgspec

from studio.model.terms import ErrorCategory


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why an attempt did not succeed; stored in the history and shown everywhere.

    Args:
        type: class name of the error, such as ``KeyError`` or ``CommandFailed``.
        message: its text, sanitised of nothing; views sanitise.
        category: where the error taxonomy puts it.
        bases: names of the error class's bases, nearest first; retry lists match them too.
        traceback: formatted traceback or last lines of standard error, may be empty.
        file: source file of the user's own line that raised, empty when unknown.
        line: its line number, 0 when unknown.
        function: name of the function the line stands in.
        exit_code: exit status of a command, None when there is none.
        locals: names and short texts of the local variables at that line, secrets redacted.
    """

    type: str
    message: str
    category: ErrorCategory = "unexpected"
    bases: tuple[str, ...] = ()
    traceback: str = ""
    file: str = ""
    line: int = 0
    function: str = ""
    exit_code: int | None = None
    locals: dict[str, str] = {}
