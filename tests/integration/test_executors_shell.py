"""Shell nodes in real children: output, exit status, progress, environment."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from studio.executors.host import Caps
from studio.model.expressions import SecretSlot
from studio.model.nodes import ShellSettings
from studio.ports import Stopped, Vanished
from tests.integration.executor_rig import Rig, failure, output


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path) as rig:
        yield rig


@pytest.mark.parametrize(
    ("script", "mode", "expected"),
    [
        ("echo hi; echo; echo err >&2", None, {"exit_code": 0, "stdout": "hi\n", "stderr": "err"}),
        ("printf 'a\\nb\\n'", "text", "a\nb"),
        ("printf 'a\\nb\\n'", "lines", ["a", "b"]),
        ("echo '{\"a\": [1, 2.5, null]}'", "json", {"a": [1, 2.5, None]}),
        ("echo '::progress 40 half::'; echo kept", "lines", ["kept"]),
        ('echo out; echo \'{"x": 1}\' > "$STUDIO_OUTPUT"', "text", {"x": 1}),
        ("true", None, {"exit_code": 0, "stdout": "", "stderr": ""}),
    ],
)
async def test_output_is_read_as_asked(
    rig: Rig, script: str, mode: str | None, expected: object
) -> None:
    assert output(await rig.shell(script, output=mode)) == expected
    assert not list(rig.results.glob("*.output"))


@pytest.mark.parametrize(
    ("script", "mode", "said"),
    [
        ("echo nonsense", "json", "standard output is not JSON"),
        ('echo "{" > "$STUDIO_OUTPUT"', None, "$STUDIO_OUTPUT is not JSON"),
        ("echo NaN", "json", "NaN"),
    ],
)
async def test_output_that_cannot_be_read_fails(
    rig: Rig, script: str, mode: str | None, said: str
) -> None:
    found = failure(await rig.shell(script, output=mode))
    assert found.type == "ResultError"
    assert said in found.message


@pytest.mark.parametrize(
    ("script", "code", "category", "said"),
    [
        (
            "echo one >&2; echo 'last words' >&2; exit 3",
            3,
            "external_service",
            "exit status 3: last words",
        ),
        ("false; echo never", 1, "external_service", "exit status 1"),
        ("exit 75", 75, "transient", "exit status 75"),
        ("no-such-command-here", 127, "unexpected", "not found"),
        ("sh -c 'kill -9 $$'; exit $?", 137, "external_service", "SIGKILL"),
    ],
)
async def test_exit_status_fails_with_the_last_error_line(
    rig: Rig, script: str, code: int, category: str, said: str
) -> None:
    found = failure(await rig.shell(script))
    assert (found.type, found.exit_code, found.category) == ("CommandFailed", code, category)
    assert said in found.message


async def test_shell_killed_from_outside_has_vanished(rig: Rig) -> None:
    outcome = await rig.shell("kill -9 $$")
    assert isinstance(outcome, Vanished)
    assert "SIGKILL" in outcome.detail


async def test_progress_lines(rig: Rig) -> None:
    order = rig.order(
        ShellSettings(run="echo '::progress 40 message here::'; echo '::progress 100::'")
    )
    record = rig.start(order)
    await rig.outcome(record)
    assert record.progress == [(0.4, "message here"), (1.0, "")]
    assert record.logged == []


async def test_environment_folder_and_identity(rig: Rig) -> None:
    (rig.folder / "sub").mkdir()
    settings = ShellSettings(
        run='pwd; echo "$A$B"; echo "$STUDIO_NODE $STUDIO_ATTEMPT $STUDIO_IDEMPOTENCY_KEY $STUDIO_RUN"',
        cwd="sub",
        env={"B": "2"},
        output="lines",
    )
    order = rig.order(settings, env={"A": "1", "PATH": os.environ["PATH"]})
    lines = output(await rig.outcome(rig.start(order)))
    assert lines == [
        str(rig.folder / "sub"),
        "12",
        f"{order.key.node} 1 {order.idempotency_key} run-1",
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (ShellSettings(run=":", cwd="gone"), "cannot enter the folder"),
        (ShellSettings(run=":", shell="no-such-shell -e"), "cannot run the shell no-such-shell"),
        (ShellSettings(run=":", shell="sh 'unclosed"), "cannot be split"),
    ],
)
async def test_what_cannot_be_started_is_explained(
    rig: Rig, settings: ShellSettings, said: str
) -> None:
    assert said in failure(await rig.run(settings)).message


async def test_other_shells(rig: Rig) -> None:
    settings = ShellSettings(run="print(6 * 7)", shell="python3", output="json")
    assert output(await rig.run(settings)) == 42


async def test_broken_pipe_ends_a_pipeline(rig: Rig) -> None:
    assert output(await rig.shell("yes | head -n 1", output="text")) == "y"


async def test_captured_output_is_bounded(tmp_path: Path) -> None:
    async with Rig(tmp_path, Caps(capture=1000)) as rig:
        script = "head -c 5000 /dev/zero | tr '\\0' x"
        found = output(await rig.shell(script))
        assert found["stdout"].endswith("(4,000 bytes dropped)")
        assert "too much for a result" in failure(await rig.shell(script, output="text")).message


async def test_cancel_gives_the_grace_and_then_kills(rig: Rig) -> None:
    order = rig.order(
        ShellSettings(
            run="echo 1 > $STUDIO_OUTPUT; trap 'echo cleaned; exit 0' TERM; echo begun; while :; do sleep 0.01; done"
        )
    )
    record = rig.start(order)
    await record.begun.wait()
    rig.executors.cancel(order.key, 15.0)
    assert await rig.outcome(record) == Stopped()
    assert [record.logged[0].text, record.logged[-1].text] == ["begun", "cleaned"]
    assert not list(rig.results.iterdir())


async def test_secrets_reach_the_child_by_environment_only(rig: Rig) -> None:
    settings = ShellSettings(
        run='tr "\\0" " " < /proc/$$/cmdline; echo; echo "$TOKEN"; printf %s "$TOKEN" | base64; echo "$TOKEN" >&2; exit 1',
        env={"TOKEN": "key-"},
    )
    order = rig.order(
        settings, env_slots=(SecretSlot(("TOKEN",), 4, "PAY"),), secrets={"PAY": "hunter2-hunter2"}
    )
    record = rig.start(order)
    found = failure(await rig.outcome(record))
    assert found.message == "exit status 1: key-[secret PAY]"
    shown = [line.text for line in record.logged]
    assert "hunter2" not in str(shown)
    assert "key-[secret PAY]" in shown
    assert any("[secret PAY]" in text and "key-" not in text for text in shown)


async def test_variables_that_are_no_text_are_passed_on(rig: Rig) -> None:
    env = {"PATH": os.environ["PATH"], "RAW": "caf\udce9"}
    assert output(await rig.shell('printf %s "$RAW" | od -An -tx1', env=env, output="text")).split() == [
        "63", "61", "66", "e9",
    ]  # fmt: skip
    assert (
        output(await rig.code("import os\nreturn os.environb[b'RAW'].hex()", env=env)) == "636166e9"
    )


@pytest.mark.parametrize("env", [{"A": "x\0y"}, {"A=B": "1"}, {"": "1"}])
async def test_variables_that_cannot_be_are_refused(rig: Rig, env: dict[str, str]) -> None:
    assert "no environment can hold" in failure(await rig.shell(":", env=env)).message
