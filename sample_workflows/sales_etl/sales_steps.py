"""Steps of sales_etl.yaml: plain functions over the rows of CSV files."""

import csv
import time
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any

COLUMNS = ["order", "date", "customer", "product", "quantity", "price"]


def read_products(file: str) -> dict[str, dict[str, Any]]:
    with Path(file).open(newline="", encoding="utf-8") as source:
        return {
            row["product"]: {"name": row["name"], "category": row["category"]}
            for row in csv.DictReader(source)
        }


def extract(file: str, pace: float, ctx: Any) -> dict[str, Any]:
    path = Path(file)
    with path.open(newline="", encoding="utf-8") as source:
        reader = csv.DictReader(source)
        if reader.fieldnames != COLUMNS:
            raise ValueError(f"{file} has the columns {reader.fieldnames}, not {COLUMNS}")
        rows = list(reader)
    ctx.log.info("%d rows in %s", len(rows), path.name)
    take_time(pace, ctx)
    return {"shop": path.stem.removeprefix("orders_"), "rows": rows}


def clean(
    batches: list[dict[str, Any]], products: dict[str, dict[str, Any]], pace: float, ctx: Any
) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    rejected: list[dict[str, str]] = []
    seen: set[str] = set()
    for batch in batches:
        for raw in batch["rows"]:
            try:
                row = checked(raw, products, seen)
            except ValueError as error:
                rejected.append({"shop": batch["shop"], "reason": str(error), **raw})
            else:
                seen.add(row["order"])
                rows.append({"shop": batch["shop"], **row})
    for reason, count in Counter(one["reason"] for one in rejected).most_common():
        ctx.log.warning("%d rows set aside: %s", count, reason)
    take_time(pace, ctx)
    share = len(rejected) / max(1, len(rows) + len(rejected))
    return {"rows": rows, "rejected": rejected, "share": round(share, 4)}


def checked(
    raw: dict[str, str], products: dict[str, dict[str, Any]], seen: set[str]
) -> dict[str, Any]:
    """A row with its types. Raises ValueError, saying what is wrong with it."""
    if raw["order"] in seen:
        raise ValueError("the order is there twice")
    if raw["product"] not in products:
        raise ValueError("unknown product")
    if not raw["price"]:
        raise ValueError("no price")
    try:
        price, quantity = float(raw["price"]), int(raw["quantity"])
    except ValueError:
        raise ValueError("price or quantity is not a number") from None
    if quantity < 1:
        raise ValueError("quantity below 1")
    try:
        day = date.fromisoformat(raw["date"])
    except ValueError:
        raise ValueError("not a date") from None
    return {
        "order": raw["order"],
        "date": day.isoformat(),
        "customer": raw["customer"],
        "product": raw["product"],
        "category": products[raw["product"]]["category"],
        "quantity": quantity,
        "revenue": round(price * quantity, 2),
    }


def by_month(rows: list[dict[str, Any]], pace: float, ctx: Any) -> dict[str, dict[str, float]]:
    months: dict[str, dict[str, float]] = defaultdict(lambda: {"orders": 0, "revenue": 0.0})
    for row in rows:
        month = months[row["date"][:7]]
        month["orders"] += 1
        month["revenue"] += row["revenue"]
    take_time(pace, ctx)
    return dict(sorted(months.items()))


def best_customers(
    rows: list[dict[str, Any]], top: int, pace: float, ctx: Any
) -> list[dict[str, Any]]:
    revenue: Counter[str] = Counter()
    orders: Counter[str] = Counter()
    for row in rows:
        revenue[row["customer"]] += row["revenue"]
        orders[row["customer"]] += 1
    take_time(pace, ctx)
    return [
        {"customer": name, "orders": orders[name], "revenue": round(amount, 2)}
        for name, amount in revenue.most_common(top)
    ]


def write_report(
    target: str,
    categories: dict[str, dict[str, float]],
    shops: dict[str, dict[str, float]],
    months: dict[str, dict[str, float]],
    customers: list[dict[str, Any]],
    rejected: int,
    pace: float,
    ctx: Any,
) -> dict[str, Any]:
    folder = made(target)
    revenue = sum(one["revenue"] for one in shops.values())
    orders = sum(int(one["orders"]) for one in shops.values())
    lines = [
        "# Sales report",
        "",
        f"{orders} orders, revenue {revenue:,.2f}; {rejected} rows were set aside.",
        "",
    ]
    for title, table in (("Category", categories), ("Shop", shops), ("Month", months)):
        lines += [f"| {title} | orders | revenue |", "|---|---:|---:|"]
        lines += [
            f"| {name} | {int(one['orders'])} | {one['revenue']:,.2f} |"
            for name, one in sorted(table.items())
        ]
        lines.append("")
    lines += ["| Customer | orders | revenue |", "|---|---:|---:|"]
    lines += [
        f"| {one['customer']} | {one['orders']} | {one['revenue']:,.2f} |" for one in customers
    ]
    report = folder / "report.md"
    report.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with (folder / "by_category.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["category", "orders", "pieces", "revenue", "largest"])
        for name, one in sorted(categories.items()):
            figures = [one["orders"], one["pieces"], f"{one['revenue']:.2f}", one["largest"]]
            writer.writerow([name, *figures])
    take_time(pace, ctx)
    return {"report": report.as_posix(), "orders": orders, "revenue": round(revenue, 2)}


def write_rejected(rejected: list[dict[str, str]], target: str) -> dict[str, Any]:
    file = made(target) / "rejected.csv"
    with file.open("w", newline="", encoding="utf-8") as sink:
        writer = csv.DictWriter(sink, ["shop", *COLUMNS, "reason"])
        writer.writeheader()
        writer.writerows(rejected)
    return {"file": file.as_posix(), "rows": len(rejected)}


def write_quarantine(target: str, share: float, most: float) -> dict[str, str]:
    file = made(target) / "quarantine.md"
    file.write_text(
        f"{share:.1%} of the rows are faulty; at most {most:.1%} are put up with.\n"
        "The rows and the reasons stand in rejected.csv.\n",
        encoding="utf-8",
    )
    return {"file": file.as_posix()}


def made(folder: str) -> Path:
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    return path


def take_time(seconds: float, ctx: Any) -> None:
    """Pacing only: lets a person watch a step that would be over in a few milliseconds."""
    for step in range(1, 11 if seconds else 1):
        time.sleep(seconds / 10)
        ctx.progress(step / 10)
