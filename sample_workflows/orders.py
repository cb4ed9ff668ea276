"""The shop behind order_saga.yaml: warehouse, bank, gift desk, loyalty partner and courier.

They keep their books in one SQLite file per run, so that every effect can be counted afterwards:
``python orders.py`` prints those of the newest run. Every effect is written under the idempotency key
of its attempt, which is the same in every retry: doing it twice leaves one entry.
"""

import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

PRICES = {"lamp": 60.0, "chair": 145.0, "desk": 480.0}
STOCK = {"lamp": 12, "chair": 5, "desk": 1}

SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    position INTEGER PRIMARY KEY,
    action TEXT NOT NULL,
    reference TEXT NOT NULL,
    amount REAL NOT NULL DEFAULT 0,
    key TEXT NOT NULL,
    UNIQUE (action, key)
);
CREATE TABLE IF NOT EXISTS stock (sku TEXT PRIMARY KEY, free INTEGER NOT NULL CHECK (free >= 0));
CREATE TABLE IF NOT EXISTS reservations (id TEXT PRIMARY KEY, sku TEXT NOT NULL, quantity INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS calls (key TEXT PRIMARY KEY, count INTEGER NOT NULL);
"""


class OutOfStock(Exception):
    category = "validation"


class CarrierRefused(Exception):
    category = "external_service"


class PartnerDown(Exception):
    category = "external_service"


def price_order(sku: str, quantity: int, pace: float, ctx: Any) -> dict[str, Any]:
    take_time(pace, ctx)
    return {"sku": sku, "quantity": quantity, "total": PRICES[sku] * quantity}


def check_fraud(total: float, pace: float, ctx: Any) -> dict[str, Any]:
    take_time(pace, ctx)
    risk = min(100, round(total / 12))
    ctx.log.info("risk of an order over %.2f: %d of 100", total, risk)
    return {"risk": risk}


def flag_for_review(books: str, order_id: str, ctx: Any) -> dict[str, str]:
    with opened(books, ctx) as ledger:
        enter(ledger, "review", order_id, ctx)
    return {"flagged": order_id}


def reserve_stock(
    books: str, order_id: str, sku: str, quantity: int, pace: float, ctx: Any
) -> dict[str, Any]:
    take_time(pace, ctx)
    reservation = f"res-{order_id}"
    with opened(books, ctx) as ledger:
        if enter(ledger, "reserve", reservation, ctx):
            free = ledger.execute("SELECT free FROM stock WHERE sku = ?", (sku,)).fetchone()[0]
            if free < quantity:
                raise OutOfStock(f"{quantity} of {sku} wanted, {free} in stock")
            ledger.execute("UPDATE stock SET free = free - ? WHERE sku = ?", (quantity, sku))
            ledger.execute(
                "INSERT INTO reservations VALUES (?, ?, ?)", (reservation, sku, quantity)
            )
    return {"reservation_id": reservation, "quantity": quantity}


def release_stock(books: str, reservation_id: str, pace: float, ctx: Any) -> None:
    take_time(pace, ctx)
    with opened(books, ctx) as ledger:
        if enter(ledger, "release", reservation_id, ctx):
            sku, quantity = ledger.execute(
                "DELETE FROM reservations WHERE id = ? RETURNING sku, quantity", (reservation_id,)
            ).fetchone()
            ledger.execute("UPDATE stock SET free = free + ? WHERE sku = ?", (quantity, sku))


def charge_card(
    books: str,
    order_id: str,
    amount: float,
    card: str,
    lost_answers: int,
    pace: float,
    ctx: Any,
) -> dict[str, Any]:
    take_time(pace, ctx)
    transaction = f"tx-{order_id}"
    with opened(books, ctx) as ledger:
        charged = enter(ledger, "charge", transaction, ctx, amount)
        calls = ledger.execute(
            "INSERT INTO calls VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET count = count + 1 "
            "RETURNING count",
            (ctx.idempotency_key,),
        ).fetchone()[0]
    if not charged:
        ctx.log.info("the bank knows key %s: nothing is charged again", ctx.idempotency_key)
    if calls <= lost_answers:
        raise TimeoutError("the bank took the charge, but its answer got lost")
    return {"transaction_id": transaction, "amount": amount, "status": "success"}


def refund(books: str, transaction_id: str, pace: float, ctx: Any) -> None:
    take_time(pace, ctx)
    with opened(books, ctx) as ledger:
        charged = ledger.execute(
            "SELECT amount FROM entries WHERE action = 'charge' AND reference = ?",
            (transaction_id,),
        ).fetchone()[0]
        enter(ledger, "refund", transaction_id, ctx, -charged)


def add_loyalty_points(
    books: str, order_id: str, points: int, partner: str, pace: float, ctx: Any
) -> dict[str, Any]:
    take_time(pace, ctx)
    if partner == "down":
        raise PartnerDown("503 from the loyalty service")
    with opened(books, ctx) as ledger:
        enter(ledger, "points", f"pts-{order_id}", ctx, points)
    return {"booking_id": f"pts-{order_id}", "points": points}


def remove_loyalty_points(books: str, booking_id: str, pace: float, ctx: Any) -> None:
    take_time(pace, ctx)
    with opened(books, ctx) as ledger:
        enter(ledger, "points_removed", booking_id, ctx)


def wrap_gift(books: str, order_id: str, pace: float, ctx: Any) -> dict[str, str]:
    take_time(pace, ctx)
    with opened(books, ctx) as ledger:
        enter(ledger, "wrap", f"gift-{order_id}", ctx)
    return {"wrapping_id": f"gift-{order_id}"}


def unwrap_gift(books: str, wrapping_id: str, pace: float, ctx: Any) -> None:
    take_time(pace, ctx)
    with opened(books, ctx) as ledger:
        enter(ledger, "unwrap", wrapping_id, ctx)


def book_courier(books: str, order_id: str, pace: float, ctx: Any) -> dict[str, str]:
    take_time(pace, ctx)
    with opened(books, ctx) as ledger:
        enter(ledger, "book_courier", f"pickup-{order_id}", ctx)
    return {"booking_id": f"pickup-{order_id}"}


def cancel_courier(books: str, booking_id: str, pace: float, ctx: Any) -> None:
    take_time(pace, ctx)
    with opened(books, ctx) as ledger:
        enter(ledger, "cancel_courier", booking_id, ctx)


def ship(books: str, order_id: str, carrier: str, pace: float, ctx: Any) -> dict[str, str]:
    take_time(pace, ctx)
    if carrier == "refuses":
        raise CarrierRefused(f"the carrier refuses {order_id}: the address is outside its area")
    with opened(books, ctx) as ledger:
        enter(ledger, "ship", f"parcel-{order_id}", ctx)
    return {"parcel_id": f"parcel-{order_id}"}


def tell_support(books: str, order_id: str, reason: str, ctx: Any) -> dict[str, str]:
    with opened(books, ctx) as ledger:
        enter(ledger, "ticket", order_id, ctx)
    return {"ticket": order_id, "reason": reason}


def take_time(seconds: float, ctx: Any) -> None:
    """Pacing only: lets a person watch a step that would be over in a millisecond."""
    for step in range(1, 11 if seconds else 1):
        time.sleep(seconds / 10)
        ctx.progress(step / 10)


@contextmanager
def opened(folder: str, ctx: Any) -> Iterator[sqlite3.Connection]:
    """The ledger of this run within one transaction."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(Path(folder) / f"{ctx.run_id}.db", timeout=10)) as ledger:
        ledger.executescript(SCHEMA)
        with ledger:
            ledger.execute("BEGIN IMMEDIATE")
            ledger.executemany("INSERT OR IGNORE INTO stock VALUES (?, ?)", STOCK.items())
            yield ledger


def enter(
    ledger: sqlite3.Connection, action: str, reference: str, ctx: Any, amount: float = 0
) -> bool:
    """Write an effect into the ledger; False when this piece of work has done it before."""
    written = ledger.execute(
        "INSERT OR IGNORE INTO entries (action, reference, amount, key) VALUES (?, ?, ?, ?)",
        (action, reference, amount, ctx.idempotency_key),
    )
    return written.rowcount == 1


def print_ledger(file: Path) -> None:
    """Print every effect in order, what is left in stock, and what was paid in all."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as ledger:
        rows = ledger.execute("SELECT position, action, reference, amount FROM entries").fetchall()
        for position, action, reference, amount in rows:
            print(f"{position:3}  {action:15} {reference:18} {amount:9.2f}")
        money = sum(row[3] for row in rows if row[1] in ("charge", "refund"))
        stock = ", ".join(f"{sku} {free}" for sku, free in ledger.execute("SELECT * FROM stock"))
        print(f"paid in all: {money:.2f}; in stock: {stock}")


if __name__ == "__main__":
    given = [Path(one) for one in sys.argv[1:]] or list(Path("output/orders").glob("*.db"))
    if not given:
        sys.exit("no order has been run yet; give the path of a ledger if it is elsewhere")
    print_ledger(max(given, key=lambda file: file.stat().st_mtime))
