"""Writes data/*.csv: orders of four shops over three months, with the faults that such files have.

The generator is seeded, so the files come out the same every time: ``python make_data.py``.
"""

import csv
import random
from datetime import date, timedelta
from pathlib import Path

SEED = 20260107
FOLDER = Path(__file__).parent / "data"
SHOPS = {"north": 820, "south": 940, "east": 610, "west": 730}
FIRST_DAY = date(2026, 1, 1)
DAYS = 90

PRODUCTS = [
    ("P-100", "Desk lamp", "light", 39.90),
    ("P-101", "Floor lamp", "light", 129.00),
    ("P-102", "Light bulb, pack of 4", "light", 14.50),
    ("P-200", "Office chair", "seating", 219.00),
    ("P-201", "Stool", "seating", 59.00),
    ("P-202", "Armchair", "seating", 449.00),
    ("P-300", "Desk, oak", "tables", 589.00),
    ("P-301", "Side table", "tables", 99.00),
    ("P-400", "Shelf, 3 boards", "storage", 84.00),
    ("P-401", "Drawer unit", "storage", 159.00),
    ("P-402", "Storage box", "storage", 12.90),
    ("P-500", "Wool rug", "textiles", 189.00),
]
WEIGHTS = [9, 4, 16, 5, 8, 2, 2, 6, 7, 4, 14, 3]
CUSTOMERS = [f"C-{number:04}" for number in range(1, 641)]


def main() -> None:
    chance = random.Random(SEED)
    chance.shuffle(CUSTOMERS)
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "products.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["product", "name", "category", "price"])
        writer.writerows((*row[:3], f"{row[3]:.2f}") for row in PRODUCTS)
    for shop, count in SHOPS.items():
        rows = [order(chance, shop, number) for number in range(1, count + 1)]
        rows.sort(key=lambda row: row[1])
        for row in chance.sample(rows, count // 80):
            spoil(chance, row)
        rows.extend(chance.sample(rows, 3))
        with (FOLDER / f"orders_{shop}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["order", "date", "customer", "product", "quantity", "price"])
            writer.writerows(rows)


def order(chance: random.Random, shop: str, number: int) -> list[str]:
    day = FIRST_DAY + timedelta(days=chance.randrange(DAYS))
    product = chance.choices(PRODUCTS, WEIGHTS)[0]
    quantity = chance.choices([1, 2, 3, 4, 6, 10], [60, 22, 8, 5, 3, 2])[0]
    discount = chance.choices([0, 5, 10, 20], [78, 10, 8, 4])[0]
    price = product[3] * (100 - discount) / 100
    regular = min(chance.randrange(len(CUSTOMERS)), chance.randrange(len(CUSTOMERS)))
    customer = CUSTOMERS[regular]
    return [
        f"{shop[0].upper()}-{number:05}",
        day.isoformat(),
        customer,
        product[0],
        str(quantity),
        f"{price:.2f}",
    ]


def spoil(chance: random.Random, row: list[str]) -> None:
    """One of the faults that real exports have."""
    match chance.randrange(5):
        case 0:
            row[5] = ""
        case 1:
            row[1] = f"{row[1][8:]}.{row[1][5:7]}.{row[1][:4]}"
        case 2:
            row[3] = "P-999"
        case 3:
            row[4] = f"-{row[4]}"
        case _:
            row[5] = row[5].replace(".", ",") + " EUR"


if __name__ == "__main__":
    main()
