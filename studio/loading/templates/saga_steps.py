"""Steps of the workflow beside this file; each prints what it would do."""

from typing import Any


def reserve(order: str) -> dict[str, str]:
    print(f"reserving stock for {order}")
    return {"reservation": f"r-{order}"}


def release(reservation: str) -> None:
    print(f"releasing {reservation}")


def charge(order: str, amount: float, ctx: Any) -> dict[str, str]:
    # The key is the same in every retry: hand it to the payment service to be charged once.
    print(f"charging {amount} for {order} (key {ctx.idempotency_key})")
    return {"payment": f"p-{order}"}


def refund(payment: str) -> None:
    print(f"refunding {payment}")


def ship(order: str, fail: bool) -> dict[str, str]:
    if fail:
        raise RuntimeError("the carrier does not answer")
    return {"parcel": f"parcel-{order}"}


def tell_support(order: str) -> None:
    print(f"shipping of {order} failed")
