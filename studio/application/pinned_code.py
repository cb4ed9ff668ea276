"""The code that runs keep to: read from the project, stored beside the history, recalled when it is compared.

A run pins its code as it pins its definition (engine.md, invariant 19). What its python nodes import is stored under
the content's own address when the run starts and whenever it adopts other code; the history holds the address.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

from studio.errors import DamagedError, NotFoundError, StorageError
from studio.loading.diagnostics import Diagnostic
from studio.loading.fingerprint import (
    Code,
    CodeIndex,
    CodePrint,
    StoredIndex,
    code_fingerprints,
    read_code,
)
from studio.model.workflow import Workflow
from studio.ports import Values

REMEMBERED: Final = 32
"""Fingerprints of stored code kept in memory, by definition and address: several workflows with a few versions each."""


class CodeReader:
    """Reads the code of workflows; what did not change since is not parsed again. Its methods block."""

    def __init__(self) -> None:
        self._index = CodeIndex()
        self._lock = threading.Lock()

    def read(self, workflow: Workflow) -> Code:
        """The code of a workflow as it is on disk. Never raises: what cannot be parsed is among its problems."""
        with self._lock:
            return read_code(workflow, self._index)


class PinnedCode(CodeReader):
    """Reads code, and keeps it for runs.

    Args:
        values: where it is stored.
    """

    def __init__(self, values: Values) -> None:
        super().__init__()
        self._values = values
        self._prints: OrderedDict[tuple[str, str], Mapping[str, CodePrint]] = OrderedDict()

    def keep(self, code: Code, version: str) -> str:
        """Store code durably and return its address, empty when nothing of it is imported.

        Args:
            code: as it was read.
            version: content hash of the definition it was read for.

        Raises:
            StorageError: it could not be stored.
        """
        if not code.texts:
            return ""
        from studio.executors.zygote.pinned import pack  # lazy: the first picture keeps no code

        pin = self._values.put(pack(code.texts))
        self._remember(version, pin, code.prints)
        return pin

    def recall(self, workflow: Workflow, version: str, pin: str) -> Mapping[str, CodePrint] | None:
        """Fingerprints of stored code for the python nodes of a definition; None when it cannot be read.

        Args:
            workflow: the definition, its ``folder`` that of the run.
            version: content hash of it.
            pin: address of the code.
        """
        known = self._prints.get((version, pin))
        if known is None:
            texts = self._texts(workflow.folder, pin)
            if texts is None:
                return None
            known = code_fingerprints(workflow, StoredIndex(texts))
            self._remember(version, pin, known)
        return known

    def knows(self, version: str, pin: str) -> bool:
        """Whether `recall` answers from memory."""
        return (version, pin) in self._prints

    def broken(self, code: Code, pin: str, nodes: Iterable[str]) -> Diagnostic | None:
        """Why some nodes cannot run with this code: a module they reach does not compile.

        A module that stood so in the code which the run has is no reason: that is how it was started.

        Args:
            code: as it is on disk.
            pin: address of the code the run has; empty for none.
            nodes: ids of the nodes that are to run.
        """
        problems = [
            one for name in nodes if name in code.prints for one in code.prints[name].problems
        ]
        if not problems:
            return None
        texts = (self._texts("", pin) if pin else None) or {}
        for one in problems:
            if texts.get(one.place.file) != code.texts.get(one.place.file, b""):
                return one
        return None

    def _texts(self, folder: str, pin: str) -> dict[str, bytes] | None:
        # lazy: the first picture compares no code
        from studio.executors.zygote.pinned import PinnedCodeError, unpack

        try:
            texts = unpack(self._values.get(pin))
        except (NotFoundError, DamagedError, StorageError, PinnedCodeError):
            return None  # the nodes that need it say so; whoever compares does without
        return {f"{folder}/{path}" if folder else path: text for path, text in texts.items()}

    def _remember(self, version: str, pin: str, prints: Mapping[str, CodePrint]) -> None:
        self._prints[version, pin] = prints
        self._prints.move_to_end((version, pin))
        while len(self._prints) > REMEMBERED:
            self._prints.popitem(last=False)
