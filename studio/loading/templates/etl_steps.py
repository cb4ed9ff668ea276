"""Steps of the workflow beside this file."""

import json
from pathlib import Path
from typing import Any


def extract(rows: int, ctx: Any) -> list[dict[str, Any]]:
    """Orders as a list of mappings; replace this with a read of your own source."""
    orders = []
    for number in range(rows):
        amount = (number * 7) % 40
        orders.append({"id": number, "customer": f"c{number % 3}", "amount": amount})
        ctx.progress((number + 1) / rows, f"{number + 1} of {rows}")
    return orders


def load(totals: dict[str, Any]) -> dict[str, Any]:
    """Write the totals; the file is replaced as a whole, so a second time does no harm."""
    file = Path("totals.json")
    file.write_text(json.dumps(totals, indent=2) + "\n")
    return {"file": str(file), "rows": len(totals)}
