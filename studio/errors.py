"""Every error that Workflow Studio raises on purpose.

The tree says who is to blame, so that a caller can react without reading messages::

    StudioError
    ├── DefinitionError      a workflow file, or a value checked against one, is wrong
    │   └── ExpressionError  an expression or template cannot be parsed or evaluated
    ├── RefusedError         a verb does not apply to the present state
    ├── NotFoundError        a run, node, file or command does not exist
    ├── StorageError         the state folder cannot be read or written
    │   ├── OwnerLockedError another process owns the state folder
    │   └── DamagedError     stored bytes do not match their checksum or schema
    ├── ExecutorError        a child process or the zygote could not be driven
    └── EngineStoppedError   the engine has ended before it could answer
"""


class StudioError(Exception):
    """Root of all errors raised on purpose; its text is fit to be shown to a user."""


class DefinitionError(StudioError):
    """A workflow file, or a value checked against one, is wrong."""


class ExpressionError(DefinitionError):
    """An expression or template cannot be parsed or evaluated.

    Args:
        message: what is wrong, fit for a user.
        offset: index of the offending character within the source text, in characters.
        path: keys and indexes that lead to the source text inside a larger structure; empty when
            the text stands by itself.
    """

    def __init__(self, message: str, offset: int = 0, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.path = path

    def within(self, root: str) -> str:
        """The message behind the keys that lead to its text, as in ``outputs.rows[2]: …``.

        Args:
            root: authored key of the structure that ``path`` leads into; empty when ``path`` begins with it.
        """
        steps = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.path)
        return f"{(root + steps).lstrip('.')}: {self.message}"


class RefusedError(StudioError):
    """A verb does not apply to the present state; the text says why and what would make it possible."""


class NotFoundError(StudioError):
    """A run, node, file or command does not exist."""


class StorageError(StudioError):
    """The state folder cannot be read or written.

    Args:
        message: what happened and to which file, fit for a user.
        errno: the system's number for it (``ENOSPC``, ``EIO``, ``EROFS``, ``EBUSY`` …), None where no
            such number says more than the message.
    """

    def __init__(self, message: str, errno: int | None = None) -> None:
        super().__init__(message)
        self.errno = errno


class OwnerLockedError(StorageError):
    """Another process owns the state folder.

    Args:
        message: who owns it, fit for a user.
        pid: process id of the owner, None when it could not be read.
        errno: as in `StorageError`.
    """

    def __init__(self, message: str, pid: int | None = None, errno: int | None = None) -> None:
        super().__init__(message, errno)
        self.pid = pid


class DamagedError(StorageError):
    """Stored bytes do not match their checksum or schema."""


class ExecutorError(StudioError):
    """A child process or the zygote could not be driven."""


class EngineStoppedError(StudioError):
    """The engine has ended before it could answer: it was closed, or a defect of its own stopped it."""
