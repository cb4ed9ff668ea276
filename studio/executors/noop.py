"""``uses: noop``: passes its input on."""

from __future__ import annotations

import msgspec

from studio.model.expressions import insert_secrets
from studio.ports import AttemptOrder, Succeeded


def pass_on(order: AttemptOrder, port: str = "") -> Succeeded:
    """Return the input as the output; where a secret belongs stands its name.

    Args:
        order: the attempt.
        port: output port it leaves by.

    Raises:
        ExpressionError: when a slot does not fit the input.
    """
    value = order.input
    if order.slots:
        names = {slot.name: f"[secret {slot.name}]" for slot in order.slots}
        value = insert_secrets(value, order.slots, names)
    return Succeeded(msgspec.json.encode(value), port)
