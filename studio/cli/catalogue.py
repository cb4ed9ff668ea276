"""The verbs of the command line: which module carries each one out, and what it is for.

Only the module of the verb that was asked for is loaded.
"""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """Module of `studio.cli` that has the verb, its group in the help, and one line about it."""

    module: str
    group: str
    summary: str


CATALOGUE: dict[str, Entry] = {
    "run": Entry("launching", "Run", "run a workflow file, with its progress"),
    "demo": Entry("upkeep", "Run", "copy the sample workflows to a folder, and run one"),
    "check": Entry("checking", "Files", "check workflow files and say what is wrong, and where"),
    "graph": Entry("graphs", "Files", "draw a workflow as text, Mermaid, Graphviz, SVG or JSON"),
    "schema": Entry("checking", "Files", "print the JSON Schema of workflow files, for editors"),
    "new": Entry("checking", "Files", "begin a workflow from a template"),
    "runs": Entry("listing", "Look", "list runs, newest first"),
    "show": Entry("looking", "Look", "show a run, or one node of it"),
    "logs": Entry("tailing", "Look", "print what the nodes of a run wrote"),
    "history": Entry("looking", "Look", "print every recorded event of a run"),
    "why": Entry("looking", "Look", "say why a node is in its state"),
    "diff": Entry("comparing", "Look", "show where two runs went different ways"),
    "pause": Entry("controlling", "Steer", "let nothing of a run start any more"),
    "resume": Entry("controlling", "Steer", "let a paused or interrupted run go on"),
    "cancel": Entry("controlling", "Steer", "end a run, or one node of it"),
    "hold": Entry("controlling", "Steer", "keep a node from starting"),
    "release": Entry("controlling", "Steer", "let a held node start"),
    "breakpoint": Entry("stepping", "Steer", "stop at a node for a person"),
    "step": Entry("stepping", "Steer", "start the next node, and only that"),
    "continue": Entry("stepping", "Steer", "leave a breakpoint or step mode"),
    "retry": Entry("mending", "Mend", "run a node again, now"),
    "mark": Entry("mending", "Mend", "set the outcome of a node by hand"),
    "output": Entry("mending", "Mend", "replace the output of a finished node"),
    "input": Entry("mending", "Mend", "replace the input of a node's next attempt"),
    "rerun": Entry("mending", "Mend", "run stale nodes, or from a node on, or everything again"),
    "compensate": Entry("undoing", "Mend", "undo a run or some nodes of it, in reverse order"),
    "doctor": Entry("upkeep", "Keep", "examine the state folder and replay its history"),
}

INTRODUCTION = "A debugger for workflows that lives in the terminal."

EPILOGUE = """\
RUN is a number, `last`, or an id. `studio COMMAND --help` shows options and examples.
Exit status: 0 done, 1 failed, 2 wrong usage or definition, 3 needs a person or paused, 4 refused, 130 interrupted."""


def overview() -> str:
    """What ``studio --help`` prints."""
    lines = [
        "usage: studio [PATH]               open the screen",
        "       studio COMMAND [OPTION]...",
        "",
        INTRODUCTION,
    ]
    group = ""
    for name, entry in CATALOGUE.items():
        if entry.group != group:
            group = entry.group
            lines += ["", f"{group}:"]
        lines.append(f"  {name:<12}{entry.summary}")
    return "\n".join([*lines, "", EPILOGUE])
