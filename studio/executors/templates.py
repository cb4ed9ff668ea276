"""Templates: processes with a project's module imported, forked instead of the zygote where that is the same."""

from __future__ import annotations

import itertools
import signal
import socket
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias

from studio.executors.child_attempt import encode_order, sealed_file
from studio.executors.fork_link import Forked, ForkLink
from studio.executors.freshness import Sources
from studio.executors.host import Host
from studio.executors.zygote.framing import Message
from studio.executors.zygote_process import Zygote

Key: TypeAlias = tuple[str, str, frozenset[tuple[str, str]], str]
"""Folder, module, environment, stored code: importing may read all of them."""

MAX_TEMPLATES: Final = 8
"""Processes kept; the one not used for longest goes first."""

MAX_VERSIONS: Final = 2
"""Of these, such as differ in the stored code alone: what runs now, and what an older run still keeps to."""

RETRY_STARTS: Final = 50
"""Starts after which a module that was unfit as a template is tried again."""


class _Template:
    """One key: how often it was asked for, and its process if there is one."""

    def __init__(self) -> None:
        self.state: Literal["known", "building", "ready", "unfit"] = "known"
        self.starts = 0
        self.link: ForkLink | None = None
        self.identity = 0
        self.sources: Sources | None = None


class Templates:
    """Finds a template for a call, and builds one when the same call comes a second time.

    Args:
        host: surroundings.
        zygote: the zygote, whose children templates are.
        numbers: source of identities on the zygote's link.
    """

    def __init__(self, host: Host, zygote: Zygote, numbers: Iterator[int]) -> None:
        self._host = host
        self._zygote = zygote
        self._numbers = numbers
        self._templates: OrderedDict[Key, _Template] = OrderedDict()
        self._mourned: dict[int, list[Forked]] = {}
        self._sweeps = itertools.count(1)

    def find(
        self, folder: str, module: str, env: Mapping[str, str], pin: str = ""
    ) -> ForkLink | None:
        """Return the fork server to use for a call, None for the zygote."""
        key = (folder, module, frozenset(env.items()), pin)
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = self._new(key)
        self._templates.move_to_end(key)
        template.starts += 1
        self._forget_oldest()
        if template.state == "ready":
            assert template.sources is not None
            if template.sources.unchanged():
                return template.link
            self._retire(template)
        if template.state == "unfit" and template.starts % RETRY_STARTS:
            return None
        if template.state != "building" and template.starts > 1:
            self._build(template, key)
        return None

    def swept(self, identity: int) -> None:
        """The zygote has killed what a dead template left behind."""
        for forked in self._mourned.pop(identity, []):
            forked.lost("the process it was forked from died")

    def forget(self) -> list[Forked]:
        """The zygote is gone, and every template with it; return who still waits for a sweep."""
        waiting = [forked for group in self._mourned.values() for forked in group]
        self._mourned.clear()
        return waiting

    def close(self) -> None:
        """End every template."""
        for template in self._templates.values():
            if template.link is not None:
                template.link.close()
        self._templates.clear()

    def _new(self, key: Key) -> _Template:
        """A key that was never asked for. One that differs from another in its code alone is no new call."""
        versions = [other for other in self._templates if other[:3] == key[:3]]
        for oldest in versions[: max(0, len(versions) + 1 - MAX_VERSIONS)]:
            self._retire(self._templates.pop(oldest))
        template = _Template()
        template.starts = min(len(versions), 1)
        return template

    def _build(self, template: _Template, key: Key) -> None:
        folder, module, env, pin = key
        body: dict[str, Any] = {"folder": folder, "module": module, "env": dict(env), "pin": pin}
        mine, other = socket.socketpair()
        body_fd = sealed_file(encode_order(body))
        printed_fd = sealed_file(b"")
        template.identity = next(self._numbers)
        template.state = "building"
        link = ForkLink(
            self._host.loop,
            mine,
            lambda message: self._hear(template, link, message),
            lambda forked: self._lose(template, link, forked),
        )
        template.link = link
        self._zygote.link().send(
            {"op": "template", "id": template.identity}, (other.detach(), body_fd, printed_fd)
        )

    def _hear(self, template: _Template, link: ForkLink, message: Message) -> None:
        if template.link is not link:
            return
        if message["op"] == "ready":
            template.state = "ready"
            template.sources = Sources(message["files"], message["folders"])
        elif message["op"] == "unfit":
            template.state = "unfit"

    def _lose(self, template: _Template, link: ForkLink, forked: list[Forked]) -> None:
        if template.link is link:
            template.state = "unfit"
            template.link = None
        if forked:
            # Its children have become the zygote's, which kills them before they are reported.
            identity = next(self._sweeps)
            self._mourned[identity] = forked
            if not self._zygote.is_mourned:
                self._zygote.link().send({"op": "sweep", "id": identity})

    def _retire(self, template: _Template) -> None:
        if template.link is not None:
            if template.state == "building":
                # It may be stuck in an import and never look at its socket.
                self._zygote.link().signal(template.identity, signal.SIGKILL)
            template.link.retire()
            template.link = None
        template.state = "known"

    def _forget_oldest(self) -> None:
        while len(self._templates) > MAX_TEMPLATES:
            _, oldest = self._templates.popitem(last=False)
            self._retire(oldest)
