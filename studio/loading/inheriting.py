"""What a node takes over from elsewhere in its file: ``defaults``, and the entry of ``templates`` it extends."""

from __future__ import annotations

from collections.abc import Mapping

from studio.loading import vocabulary as words
from studio.loading.diagnostics import Report, kind_of, named, quoted
from studio.loading.names import id_problem
from studio.loading.sections import Entry, Section, section
from studio.model.json_value import JsonValue

_NODE_KEYS = frozenset(words.NODE_KEYS)

_ALTERNATIVES = (("call", "code"), ("for", "until"), ("input", "value"))
"""Keys one of which a node has: saying one puts the other out of force."""

_WHOLE = frozenset({"needs", "fallback", "breakpoint", "value"})
"""Mappings that mean one thing as a whole; a node that has one takes nothing of an inherited one."""


def inherit(own: Section, other: Section) -> Section:
    """The keys of one section over those of another; mappings are merged key by key.

    What is taken over keeps its place in the file.

    Args:
        own: the keys that win.
        other: the keys that are taken over.
    """
    entries = dict(own.entries)
    for key, entry in other.entries.items():
        present = entries.get(key)
        if present is None:
            if not _put_out(key, own.entries):
                entries[key] = entry
        elif _merges(key, present.value, entry.value):
            entries[key] = _joined(own.report, present, entry, definition=key == "compensate")
    return Section(entries, own.path, own.title, own.report)


def _put_out(key: str, own: Mapping[str, object]) -> bool:
    """Whether a key has no force because another one is said in its place."""
    return any(key in group and any(one in own for one in group) for group in _ALTERNATIVES)


def _merges(key: str, mine: JsonValue, other: JsonValue) -> bool:
    if key in _WHOLE or not isinstance(mine, dict) or not isinstance(other, dict):
        return False
    return key != "compensate" or "uses" not in mine


def _joined(report: Report, present: Entry, entry: Entry, *, definition: bool) -> Entry:
    """One mapping over another, with the keys that it takes over kept where they are written.

    ``definition`` says that the mapping is a small node, whose keys may exclude each other.
    """
    mine: Mapping[str, JsonValue] = present.value
    taken = {
        key: value
        for key, value in entry.value.items()
        if key not in mine and not (definition and _put_out(key, mine))
    }
    for key in taken:
        report.document.taken_over[(*present.path, key)] = (*entry.path, key)
    return Entry({**taken, **mine}, present.path)


def apply_defaults(part: Section, defaults: Section, uses: str | None) -> Section:
    """A node's keys over those of ``defaults`` that its kind has."""
    mine = words.KIND_KEYS.get(uses or "", ())
    kept = {
        key: entry
        for key, entry in defaults.entries.items()
        if (key in _NODE_KEYS or key in mine)
        and (key not in ("max_parallel", "on_item_failure") or "foreach" in part)
    }
    return inherit(part, Section(kept, defaults.path, defaults.title, defaults.report))


class Templates:
    """The ``templates`` of a file, each with what it takes over from those it extends itself.

    Reading them reports what is wrong with the keys of any of them, used or not.

    Args:
        top: the section of the whole file.

    Attributes:
        written: the keys of each as written, those that are no mappings left out.
    """

    def __init__(self, top: Section) -> None:
        self._report = top.report
        self.written: dict[str, Section] = {}
        self._found: dict[str, Section | None] = {}
        part = top.mapping("templates")
        for name, entry in (part.entries if part is not None else {}).items():
            if part is not None and (problem := id_problem("template", name)) is not None:
                part.key_error(name, problem, "name")
            if isinstance(entry.value, dict):
                title = f"template {quoted(name)}"
                self.written[name] = section(entry.value, entry.path, title, self._report)
            else:
                message = f"template {quoted(name)} has to be a mapping, not {kind_of(entry.value)}"
                self._report.error(entry.path, message, code="kind")
                self._found[name] = None
        for name in self.written:
            self._resolve(name)

    def over(self, own: Section) -> Section | None:
        """A node's keys over those of the template it extends; None when that cannot be told.

        Args:
            own: the node's own keys.
        """
        if "extends" not in own:
            return own
        name = own.text("extends")
        if name is None:
            return None
        if name not in self.written and name not in self._found:
            self._unknown(own, name)
            return None
        found = self._found[name]
        return inherit(own, found) if found is not None else None

    def _unknown(self, owner: Section, name: str) -> None:
        known = sorted({*self.written, *self._found})
        hint = self._report.suggest(name, known) or (
            f"; templates are {named(known)}" if known else '; the file has no "templates"'
        )
        owner.error("extends", f"unknown template {quoted(name)}{hint}", "unknown-template")

    def _resolve(self, start: str) -> None:
        """Put a template over those it extends, from the far end of the chain on."""
        chain: list[str] = []
        name: str | None = start
        base: Section | None = None
        broken = False
        while name is not None and name not in self._found:
            if name in chain:
                self._refuse_cycle(chain[chain.index(name) :])
                broken = True
                break
            chain.append(name)
            name, broken = self._base_of(name)
            if broken:
                break
        if name is not None and not broken:
            base = self._found[name]
            broken = base is None
        for one in reversed(chain):
            part = self.written[one]
            check_keys(part, _said_uses(part, base))
            full = None
            if not broken:
                full = part if base is None else inherit(part, base)
                if size(dict(full.entries)) > words.MAX_DEFAULTS:
                    # Every node that extends it repeats it: a large one would grow as an alias bomb does.
                    message = f"{part.title} holds more than {words.MAX_DEFAULTS} values"
                    self._report.error(part.path, message, code="size", key=True)
                    full, broken = None, True
            self._found[one] = base = full

    def _base_of(self, name: str) -> tuple[str | None, bool]:
        """The template that one extends, and whether that cannot be told."""
        part = self.written[name]
        if "extends" not in part:
            return None, False
        wanted = part.text("extends")
        if wanted is None:
            return None, True
        if wanted not in self.written and wanted not in self._found:
            self._unknown(part, wanted)
            return None, True
        return wanted, False

    def _refuse_cycle(self, cycle: list[str]) -> None:
        route = " -> ".join([*cycle[:12], cycle[0]])
        first = self.written[cycle[0]]
        first.error("extends", f"these templates extend each other: {route}", "cycle")


def _said_uses(part: Section, base: Section | None) -> str | None:
    said = part.raw("uses") if "uses" in part or base is None else base.raw("uses")
    return said if isinstance(said, str) and said in words.KIND_KEYS else None


def check_keys(own: Section, uses: str | None) -> None:
    """Report the keys of a node or template that the language, or its kind, does not have.

    Args:
        own: the keys as written there.
        uses: its kind, None when that cannot be told.
    """
    mine = words.KIND_KEYS.get(uses or "", ())
    known = (*mine, *words.NODE_KEYS)
    for key in own.entries:
        other = words.kind_of_key(key)
        if other is not None and key not in known and uses is not None:
            own.key_error(key, f"{quoted(key)} belongs to {other} nodes; this one is {uses}")
            known = (*known, key)
    if uses is None:
        known = (*known, *(key for keys in words.KIND_KEYS.values() for key in keys))
        if own.raw("uses") in words.LATER_KINDS:
            return
    own.check_keys(known, words.LATER_NODE_KEYS)


def check_taken_over(own: Section, whole: Section, uses: str) -> None:
    """Report the keys that a node takes over from its template and its kind does not have.

    Args:
        own: the keys written at the node.
        whole: the same over its template.
        uses: its kind.
    """
    mine = words.KIND_KEYS[uses]
    for key in whole.entries:
        other = words.kind_of_key(key)
        if key in own or other is None or key in mine or key in _NODE_KEYS:
            continue
        whole.key_error(key, f"{quoted(key)} belongs to {other} nodes; {own.title} is {uses}")


def size(value: object) -> int:
    """Number of values in a JSON value, itself included."""
    count, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        count += 1
        if isinstance(one, Entry):
            count -= 1
            waiting.append(one.value)
        elif isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return count
