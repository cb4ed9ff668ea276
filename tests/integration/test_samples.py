"""Every sample workflow, run for real by the command line in a copy of the folder, in its fastest setting."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from studio.cli import main
from studio.loading.discovery import discover
from studio.loading.loader import load_file

SAMPLES = Path(__file__).parents[2] / "sample_workflows"
SECONDS = 60
"""A bound against hanging, not an expectation."""

TOKEN = "hunter2-of-the-samples"


class Ended(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Project:
    """A copy of the samples, and the command line in it; the current folder and environment are the test's own."""

    folder: Path

    def studio(self, *arguments: str) -> Ended:
        """Carry out a command in this process, which spares each test the start of an interpreter."""
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            status = main(arguments)
        return Ended(status, out.getvalue(), err.getvalue())

    def run(self, file: str, *assignments: str, code: int = 0) -> Any:
        """Run a sample and return its document; ``code`` is the exit status it has to end with."""
        options = [part for one in assignments for part in ("-p", one)]
        ended = self.studio("run", file, *options, "--json")
        assert ended.returncode == code, ended.stdout + ended.stderr
        return json.loads(ended.stdout)

    def show(self) -> Any:
        """The document of the last run."""
        ended = self.studio("show", "last", "--json")
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    folder = tmp_path / "samples"
    shutil.copytree(
        SAMPLES, folder, ignore=shutil.ignore_patterns(".studio", "output", "__pycache__")
    )
    monkeypatch.chdir(folder)
    monkeypatch.delenv("STUDIO_STATE", raising=False)
    monkeypatch.delenv("REPORT_TOKEN", raising=False)
    return Project(folder)


def states(document: Any) -> dict[str, str]:
    """State by node, items left out."""
    return {path: node["state"] for path, node in document["nodes"].items() if "[" not in path}


def entries(project: Project) -> list[tuple[str, str, float]]:
    """The ledger of the one order that was run: action, reference, amount."""
    (file,) = project.folder.glob("output/orders/*.db")
    with closing(sqlite3.connect(file)) as ledger:
        return ledger.execute(
            "SELECT action, reference, amount FROM entries ORDER BY position"
        ).fetchall()


def module_of(file: str) -> ModuleType:
    """Code of a sample, imported by itself."""
    path = SAMPLES / file
    spec = importlib.util.spec_from_file_location(f"sample_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ------------------------------------------------------------------ files

FILES = sorted(path.relative_to(SAMPLES).as_posix() for path in discover(SAMPLES).files)


def test_the_flagship_and_the_patterns_are_found() -> None:
    assert "order_saga.yaml" in FILES
    assert len([file for file in FILES if file.startswith("patterns/")]) == 11


@pytest.mark.parametrize("file", FILES)
def test_a_sample_has_no_problems_and_says_what_it_shows(file: str) -> None:
    result = load_file(SAMPLES / file)
    assert result.diagnostics == ()
    assert result.workflow is not None
    assert result.workflow.description
    assert result.workflow.name == Path(file).stem
    assert file in (SAMPLES / "README.md").read_text("utf-8")


def test_check_is_content_with_every_sample(project: Project) -> None:
    ended = project.studio("check", "--json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = json.loads(ended.stdout)["files"]
    assert sorted(one["path"] for one in found) == FILES
    assert [problem for one in found for problem in one["problems"]] == []


# ------------------------------------------------------------------ order_saga


@pytest.mark.slow
def test_an_order_that_cannot_be_shipped_is_undone_in_reverse(project: Project) -> None:
    document = project.run("order_saga.yaml", "pace=0", code=1)
    assert document["state"] == "compensated"
    assert states(document) == {
        "price_order": "succeeded",
        "check_fraud": "succeeded",
        "flag_for_review": "skipped",
        "reserve_stock": "compensated",
        "charge_card": "compensated",
        "loyalty_points": "failed",
        "wrap_gift": "compensated",
        "courier_window": "succeeded",
        "book_courier": "compensated",
        "ship": "failed",
        "tell_support": "succeeded",
        "confirm": "cancelled",
    }
    assert document["nodes"]["charge_card"]["attempts"] == 2
    assert document["nodes"]["ship"]["error"]["type"] == "CarrierRefused"
    assert document["params"]["card"] != "tok_visa_4242"
    assert [(action, amount) for action, _, amount in entries(project)] == [
        ("reserve", 0),
        ("charge", 120),
        ("wrap", 0),
        ("book_courier", 0),
        ("ticket", 0),
        ("cancel_courier", 0),
        ("unwrap", 0),
        ("refund", -120),
        ("release", 0),
    ]


@pytest.mark.slow
def test_an_order_whose_bank_loses_two_answers_is_charged_once_and_shipped(
    project: Project,
) -> None:
    document = project.run(
        "order_saga.yaml",
        "pace=0",
        "carrier=accepts",
        "loyalty=up",
        "gift=false",
        "lost_answers=2",
        "sku=desk",
        "quantity=1",
    )
    assert document["state"] == "succeeded"
    assert not document["degraded"]
    assert document["nodes"]["charge_card"]["attempts"] == 3
    assert states(document)["wrap_gift"] == "skipped"
    assert states(document)["tell_support"] == "skipped"
    assert document["outputs"] == {
        "receipt": "tx-A-1001",
        "parcel": "parcel-A-1001",
        "message": "order A-1001 left the house as parcel-A-1001",
    }
    actions = Counter(action for action, _, _ in entries(project))
    assert actions == dict.fromkeys(["reserve", "charge", "points", "book_courier", "ship"], 1)


@pytest.mark.slow
def test_an_order_beyond_the_stock_is_refused_before_it_is_charged(project: Project) -> None:
    document = project.run("order_saga.yaml", "pace=0", "sku=desk", "quantity=2", code=1)
    assert document["state"] == "failed"
    assert document["nodes"]["reserve_stock"]["error"]["type"] == "OutOfStock"
    assert {action for action, _, _ in entries(project)} <= {"review"}


# ------------------------------------------------------------------ sales_etl


def rows_of(project: Project, file: str) -> list[dict[str, str]]:
    with (project.folder / "sales_etl" / "output" / file).open(newline="") as source:
        return list(csv.DictReader(source))


@pytest.mark.slow
def test_sales_are_totalled_and_faulty_rows_set_aside(project: Project) -> None:
    document = project.run("sales_etl/sales_etl.yaml", "pace=0")
    assert document["state"] == "succeeded"
    assert states(document)["quarantine"] == "skipped"
    outputs = document["outputs"]
    assert (outputs["rows"], outputs["rejected"]) == (3063, 49)

    rejected = rows_of(project, "rejected.csv")
    assert len(rejected) == 49
    assert Counter(row["reason"] for row in rejected)["the order is there twice"] == 12
    totals = rows_of(project, "by_category.csv")
    assert sum(int(row["orders"]) for row in totals) == 3063
    assert sum(float(row["revenue"]) for row in totals) == pytest.approx(outputs["revenue"])

    lamps = 0
    for file in sorted((project.folder / "sales_etl/data").glob("orders_*.csv")):
        with file.open(newline="") as source:
            lamps += sum(row["product"] == "P-101" for row in csv.DictReader(source))
    assert 0 < lamps < int(next(row for row in totals if row["category"] == "light")["orders"])
    report = (project.folder / "sales_etl" / outputs["report"]).read_text("utf-8")
    assert report.startswith("# Sales report\n\n3063 orders, revenue 505,655.47; 49 rows")


def test_sales_of_poor_quality_are_not_reported(project: Project) -> None:
    document = project.run("sales_etl/sales_etl.yaml", "pace=0", "most_rejected=0.01")
    assert document["outputs"]["report"] is None
    assert states(document)["report"] == "skipped"
    note = project.folder / "sales_etl" / document["outputs"]["quarantine"]
    assert note.read_text("utf-8").startswith("1.6% of the rows are faulty")
    assert not (note.parent / "report.md").exists()


def test_the_shipped_sales_are_those_of_the_generator(project: Project) -> None:
    folder = project.folder / "sales_etl"
    shipped = {path.name: path.read_bytes() for path in (folder / "data").iterdir()}
    shutil.rmtree(folder / "data")
    subprocess.run([sys.executable, folder / "make_data.py"], check=True, timeout=SECONDS)
    assert {path.name: path.read_bytes() for path in (folder / "data").iterdir()} == shipped
    assert len(shipped) == 5


# ------------------------------------------------------------------ photo_index


@pytest.mark.slow
def test_damaged_pictures_fail_alone(project: Project) -> None:
    document = project.run("photo_index/photo_index.yaml", "pace=0")
    assert (document["state"], document["degraded"]) == ("succeeded", True)
    items = [node for path, node in document["nodes"].items() if path.startswith("examine[")]
    assert Counter(node["state"] for node in items) == {"succeeded": 233, "failed": 7}
    failed = [node["error"] for node in items if node["state"] == "failed"]
    assert {(error["type"], error["category"]) for error in failed} == {
        ("DamagedPicture", "validation")
    }
    outputs = document["outputs"]
    assert (outputs["readable"], len(outputs["unreadable"])) == (233, 7)
    assert [len(names) for names in outputs["copies"]].count(2) == 12
    index = (project.folder / "photo_index" / outputs["index"]).read_text("utf-8")
    assert f"Unreadable: {', '.join(outputs['unreadable'])}" in index


def test_a_picture_is_read_back_as_it_was_drawn() -> None:
    photos = module_of("photo_index/photos.py")
    rows = b"\0\x01\x02" + b"\0\x03\x04" + b"\0\x05\x06"
    header = (2).to_bytes(4, "big") + (3).to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    picture = (
        photos.SIGNATURE
        + photos.chunk(b"IHDR", header)
        + photos.chunk(b"IDAT", photos.zlib.compress(rows))
        + photos.chunk(b"IEND", b"")
    )
    assert photos.decode(picture, "x") == (2, 3, bytes([1, 2, 3, 4, 5, 6]))
    for cut in range(len(picture)):
        with pytest.raises(photos.DamagedPicture):
            photos.decode(picture[:cut], "x")


# ------------------------------------------------------------------ flaky_api


@pytest.mark.slow
def test_a_flaky_service_is_got_along_with(project: Project) -> None:
    document = project.run("flaky_api/flaky_api.yaml", "polls=2")
    assert (document["state"], document["degraded"]) == ("succeeded", True)
    nodes = document["nodes"]
    assert nodes["submit_job"]["attempts"] == 3
    assert nodes["get_stock"]["attempts"] == 2
    assert (nodes["get_rate"]["state"], nodes["get_rate"]["marks"]) == ("succeeded", ["degraded"])
    discount = nodes["get_discount"]
    assert (discount["state"], discount["attempts"]) == ("failed", 1)
    assert (discount["marks"], discount["error"]["category"]) == (["handled"], "validation")
    assert document["outputs"] == {
        "offer": {"lamp": 64.8, "chair": 156.6, "desk": 518.4},
        "rate_from": "yesterday",
        "requests": {
            "GET /discount": 1,
            "GET /jobs/ID": 2,
            "GET /rate": 2,
            "GET /stock": 2,
            "POST /jobs": 3,
            "POST /stop": 1,
        },
    }
    assert not list(project.folder.glob("flaky_api/output/*/port"))


# ------------------------------------------------------------------ practice

BUG = 'dict(row["edges"])'


@pytest.mark.slow
def test_the_practice_pipeline_is_fixed_and_retried_in_place(project: Project) -> None:
    held = project.studio("run", "practice/broken_pipeline.yaml", "-p", "pace=0", "--hold")
    assert held.returncode == 3
    code = project.folder / "practice" / "practice.py"
    line = code.read_text("utf-8").splitlines().index(f'        graph[row["id"]] = {BUG}') + 1
    assert "KeyError: 'edges'" in held.stderr + held.stdout
    assert f"practice.py:{line}" in held.stderr + held.stdout
    before = project.show()
    assert before["state"] == "attention"
    assert states(before)["names"] == "succeeded"

    code.write_text(code.read_text("utf-8").replace(BUG, 'dict(row.get("edges", []))'), "utf-8")
    retried = project.studio("retry", "last", "build_graph")
    assert retried.returncode == 0, retried.stdout + retried.stderr
    after = project.show()
    assert after["state"] == "succeeded"
    assert {path: node["attempts"] for path, node in after["nodes"].items()} == {
        "load_stations": 1,
        "stations_by_zone": 1,
        "names": 1,
        "build_graph": 2,
        "busiest": 1,
        "shortest_way": 1,
        "summary": 1,
    }
    assert after["outputs"]["summary"] == (
        "22 minutes by Harbour, Market Square, Central Station, Arena, Airport; "
        "busiest is Central Station; zone 1: 4, zone 2: 5, zone 3: 3"
    )


# ------------------------------------------------------------------ patterns


def test_joins(project: Project) -> None:
    document = project.run("patterns/joins.yaml")
    assert (document["state"], document["degraded"]) == ("succeeded", True)
    assert states(document) == {
        "quick": "succeeded",
        "slow": "succeeded",
        "never": "skipped",
        "broken": "failed",
        "all_of_them": "succeeded",
        "all_but_one_dead": "skipped",
        "any_of_them": "succeeded",
        "first_of_them": "succeeded",
        "settled_after_all": "succeeded",
    }
    assert document["outputs"]["first"] == {"joined": "first", "slow_was": "waiting"}
    assert document["outputs"]["settled"] == {
        "slow": "succeeded",
        "never": "skipped",
        "broken": "failed",
        "error": "exit status 3: the disk is full",
    }


@pytest.mark.parametrize(
    ("amount", "country", "outputs"),
    [
        (5000, "DE", {"decided_by": "manager", "customs": None}),
        (250, "US", {"decided_by": "clerk", "customs": {"papers": 3}}),
        (250, "FR", {"decided_by": "rule", "customs": None}),
        (99.99, "DE", {"decided_by": "nobody", "customs": None}),
    ],
)
def test_ports(project: Project, amount: float, country: str, outputs: dict[str, Any]) -> None:
    document = project.run("patterns/ports.yaml", f"amount={amount}", f"country={country}")
    assert document["outputs"] == outputs
    taken = [name for name, state in states(document).items() if state == "succeeded"]
    assert len(taken) == (4 if outputs["customs"] else 3)


def test_fallback(project: Project) -> None:
    document = project.run("patterns/fallback.yaml", "city=Porto")
    forecast = document["nodes"]["forecast"]
    assert (forecast["state"], forecast["attempts"]) == ("succeeded", 2)
    assert forecast["marks"] == ["degraded"]
    assert forecast["output"] == {
        "city": "Porto",
        "degrees": 21,
        "source": "average of the month",
    }
    assert document["outputs"] == {
        "advice": {"advice": "no coat", "source": "average of the month"}
    }


def test_a_forecast_that_is_there_needs_no_fallback(project: Project) -> None:
    (project.folder / "patterns" / "forecast.json").write_text(
        '{"Lisbon": {"degrees": 9, "source": "today"}}', "utf-8"
    )
    document = project.run("patterns/fallback.yaml")
    assert not document["degraded"]
    assert document["outputs"] == {"advice": {"advice": "coat", "source": "today"}}


@pytest.mark.slow
def test_two_runs_share_a_lock(project: Project) -> None:
    command = [sys.executable, "-m", "studio", "run", "patterns/locks.yaml", "-p", "hold=0.2"]
    both = [
        subprocess.Popen(
            [*command, "--json"],
            env=os.environ | {"PYTHONPATH": str(SAMPLES.parent)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ended = [(one.communicate(timeout=SECONDS), one.returncode) for one in both]
    for (out, err), code in ended:
        assert code == 0, out + err
    months = ["january", "february"]
    ledger = (project.folder / "patterns/output/ledger.txt").read_text("utf-8").splitlines()
    assert len(ledger) == 8
    for opened, shut in zip(ledger[::2], ledger[1::2], strict=True):
        assert shut == opened.replace("open", "shut")
    closed = Counter(line.split()[1] for line in ledger if line.startswith("shut"))
    assert closed == dict.fromkeys(months, 2)


def test_priorities(project: Project) -> None:
    document = project.run("patterns/priorities.yaml")
    assert document["outputs"] == {"order": ["telegram", "letter", "newspaper"]}


def test_a_workflow_in_json(project: Project) -> None:
    document = project.run("patterns/written_in_json.json", "sentence=a debugger in a terminal")
    assert document["outputs"] == {
        "longest": "debugger",
        "ranking": [
            {"word": "debugger", "length": 8},
            {"word": "terminal", "length": 8},
            {"word": "in", "length": 2},
        ],
    }


@pytest.mark.slow
def test_polling(project: Project) -> None:
    document = project.run("patterns/polling.yaml", "lines=10", "pace=0.06")
    assert document["outputs"] == {"total": 385}
    assert document["nodes"]["arrived"]["output"] == {"arrived": True}
    assert document["nodes"]["arrived"]["attempts"] > 1


def test_shell_outputs(project: Project) -> None:
    document = project.run("patterns/shell_outputs.yaml", "words=alpha be")
    assert document["outputs"] == {
        "plain": {"exit_code": 0, "stdout": "2", "stderr": "counting"},
        "text": "ALPHA BE",
        "lines": ["alpha", "be"],
        "json": 2,
        "file": True,
        "lengths": [5, 2],
    }


def test_a_missing_secret_is_named_before_anything_runs(project: Project) -> None:
    ended = project.studio("run", "patterns/secrets.yaml")
    assert ended.returncode == 2
    assert "REPORT_TOKEN is not set" in ended.stderr


@pytest.mark.slow
def test_a_secret_leaves_no_trace(project: Project) -> None:
    (project.folder / ".env").write_text(f"REPORT_TOKEN={TOKEN}\n", "utf-8")
    document = project.run("patterns/secrets.yaml")
    assert document["outputs"] == {
        "signed": "signing with [secret REPORT_TOKEN]",
        "elsewhere": "no token here",
    }
    logs = project.studio("logs", "last")
    assert "signing with [secret REPORT_TOKEN]" in logs.stdout
    written = [path for path in (project.folder / ".studio").rglob("*") if path.is_file()]
    assert written
    assert [path for path in written if TOKEN.encode() in path.read_bytes()] == []


@pytest.mark.slow
def test_a_breakpoint_waits_for_a_person(project: Project) -> None:
    document = project.run("patterns/breakpoint.yaml", code=3)
    assert document["state"] == "attention"
    assert states(document) == {"prepare": "succeeded", "pay": "held", "announce": "succeeded"}
    assert project.studio("continue", "last", "pay").returncode == 0
    assert project.show()["outputs"] == {"paid": {"amount": 1500, "fee": 15}}


def test_a_small_payment_passes_the_breakpoint(project: Project) -> None:
    document = project.run("patterns/breakpoint.yaml", "amount=1000")
    assert document["outputs"] == {"paid": {"amount": 1000, "fee": 10}}


@pytest.mark.slow
def test_a_run_is_undone_by_hand(project: Project) -> None:
    document = project.run("patterns/compensate_by_hand.yaml")
    place = project.folder / "patterns" / "output" / "workspace"
    assert sorted(path.name for path in place.iterdir()) == ["notes.txt", "settings.ini"]

    planned = project.studio("compensate", "last", "--plan", "--json")
    assert planned.returncode == 0, planned.stderr
    steps = [step["node"] for step in json.loads(planned.stdout)["steps"]]
    assert sorted(steps[:2]) == ["write_notes", "write_settings"]
    assert steps[2:] == ["make_folder"]
    assert place.exists()

    undone = project.studio("compensate", "last")
    assert undone.returncode == 0, undone.stdout + undone.stderr
    assert not place.exists()
    assert set(states(project.show()).values()) == {"compensated"}
    assert document["run"] == project.show()["run"]
