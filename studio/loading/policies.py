"""Authored policies to the model's: retries, repetition, breakpoints, limits, compensation."""

from __future__ import annotations

import builtins
from typing import Any

import msgspec

from studio.loading import vocabulary as words
from studio.loading.diagnostics import quoted
from studio.loading.formulas import Formulas, Scope
from studio.loading.sections import Section, fill
from studio.model.policies import (
    ERROR_CATEGORIES,
    Breakpoint,
    CompensationPolicy,
    Limits,
    Repeat,
    Retry,
)


def read_retry(owner: Section, base: Retry | None = None) -> Retry | None:
    """The ``retry`` of a node or an undo.

    Args:
        owner: the section that holds the key.
        base: what absent keys take; the model's defaults when None.
    """
    if "retry" not in owner:
        return base
    part = owner.mapping("retry")
    if part is None:
        return None
    part.check_keys(words.RETRY_KEYS)
    before = part.report.error_count
    values: dict[str, Any] = msgspec.structs.asdict(base) if base is not None else {}
    fill(
        values,
        strategy=part.word("strategy", words.STRATEGIES),
        max_attempts=part.integer("max_attempts", 1, 10),
        initial_delay=part.duration("initial_delay", zero=True),
        max_delay=part.duration("max_delay", zero=True),
        multiplier=part.number("multiplier", 1, 100),
        jitter=part.number("jitter", 0, 1),
        retry_on=_error_names(part, "retry_on"),
        do_not_retry_on=_error_names(part, "do_not_retry_on"),
    )
    for name in set(values.get("retry_on", ())) & set(values.get("do_not_retry_on", ())):
        part.error("do_not_retry_on", f"{quoted(name)} is in retry_on as well; remove one")
    return Retry(**values) if part.report.error_count == before else None


def _error_names(part: Section, key: str) -> tuple[str, ...] | None:
    """Categories, or names of exception classes; a lower-case word that is no category is a slip."""
    found = part.names(key, words.EXCEPTION, "not the name of an exception class or category")
    raw = part.raw(key)
    for name in found or ():
        path = part.path_of(key)
        if isinstance(raw, list):
            path = (*path, raw.index(name))
        meant = _BUILTIN.get(name.casefold())
        if meant is not None and meant != name and name not in ERROR_CATEGORIES:
            message = f"no exception class {quoted(name)} in {key}; did you mean {quoted(meant)}?"
            part.report.error(path, message, code="word")
            continue
        if name in ERROR_CATEGORIES or "." in name or not name[:1].islower():
            continue
        hint = part.report.suggest(name, ERROR_CATEGORIES) or (
            f"; categories are {', '.join(ERROR_CATEGORIES)}"
        )
        part.report.error(
            path, f"unknown error category {quoted(name)} in {key}{hint}", code="word"
        )
    return found


_BUILTIN = {
    name.casefold(): name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, Exception)
}
"""Python's own exception classes, to tell a slip in their letters from a class of the project."""


def read_repeat(owner: Section, formulas: Formulas, scope: Scope) -> Repeat | None:
    """The ``repeat`` of a node."""
    part = owner.mapping("repeat")
    if part is None:
        return None
    part.check_keys(words.REPEAT_KEYS)
    if not part.require("until", 'repeat needs "until", the expression that ends it'):
        return None
    before = part.report.error_count
    values: dict[str, Any] = fill(
        {},
        until=formulas.expression(part.entries["until"], scope),
        every=part.duration("every", zero=True),
        max=part.integer("max", 1),
    )
    return Repeat(**values) if part.report.error_count == before else None


def read_breakpoint(
    owner: Section, formulas: Formulas, scope: Scope, after: Scope
) -> Breakpoint | None:
    """The ``breakpoint`` of a node: a word, or a mapping with a condition."""
    if "breakpoint" not in owner:
        return None
    if not isinstance(owner.raw("breakpoint"), dict):
        on = owner.word("breakpoint", words.STOPS)
        return Breakpoint(on=on) if on is not None else None
    part = owner.mapping("breakpoint")
    if part is None:
        return None
    part.check_keys(words.BREAKPOINT_KEYS)
    before = part.report.error_count
    if not part.entries:
        owner.error("breakpoint", "breakpoint is empty; write before, after, failure or {when: …}")
    on = part.word("on", words.STOPS) or "before"
    when = None
    if "when" in part:
        when = formulas.expression(part.entries["when"], after if on == "after" else scope)
    return Breakpoint(on=on, when=when) if part.report.error_count == before else None


def read_limits(owner: Section) -> Limits:
    """The ``limits`` of a workflow; the defaults where they are absent or wrong."""
    part = owner.mapping("limits")
    if part is None:
        return Limits()
    part.check_keys(words.LIMIT_KEYS, words.LATER_LIMIT_KEYS)
    values: dict[str, Any] = fill(
        {},
        max_concurrency=part.integer("max_concurrency", 1),
        retry_budget=part.integer("retry_budget", 0),
        timeout=part.duration("timeout"),
    )
    return Limits(**values)


def read_compensation(owner: Section) -> CompensationPolicy:
    """The ``compensation`` of a workflow; the defaults where it is absent or wrong."""
    part = owner.mapping("compensation")
    if part is None:
        return CompensationPolicy()
    part.check_keys(words.COMPENSATION_KEYS)
    values: dict[str, Any] = fill(
        {},
        when=part.word("when", words.UNDO_TRIGGERS),
        scope=part.word("scope", words.SCOPES),
        timeout=part.duration("timeout"),
    )
    return CompensationPolicy(**values)
