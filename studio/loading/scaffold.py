"""New workflows from templates, for ``studio new``."""

from __future__ import annotations

import os
import re
from importlib import resources
from pathlib import Path as FilePath

import msgspec

from studio.errors import DefinitionError, NotFoundError, RefusedError
from studio.loading.diagnostics import quoted, suggestion
from studio.loading.names import id_problem


class Template(msgspec.Struct, frozen=True):
    """A workflow to start from.

    Args:
        name: how ``--template`` calls it.
        summary: what it shows, one line.
        code: whether a Python file belongs to it.
    """

    name: str
    summary: str
    code: bool = True


TEMPLATES: tuple[Template, ...] = (
    Template("minimal", "one step and one that follows it", code=False),
    Template("etl", "extract, transform, load, with retries and a check in between"),
    Template("saga", "steps with side effects, each with its undo, rolled back on failure"),
    Template("fanout", "a list worked on in parallel, item by item, then summed up"),
)


def find_template(name: str) -> Template:
    """The template of a name.

    Raises:
        NotFoundError: there is none of that name.
    """
    for template in TEMPLATES:
        if template.name == name:
            return template
    names = [template.name for template in TEMPLATES]
    hint = suggestion(name, names) or f"; there are {', '.join(names)}"
    raise NotFoundError(f"no template {quoted(name)}{hint}")


def scaffold(name: str, template: str, folder: str | os.PathLike[str]) -> tuple[FilePath, ...]:
    """Write a new workflow.

    Args:
        name: its id; the files are called after it.
        template: name of one of `TEMPLATES`.
        folder: where to write; made when it does not exist.

    Returns:
        The files written, the workflow first.

    Raises:
        DefinitionError: the name cannot be an id.
        NotFoundError: there is no such template.
        RefusedError: a file of that name exists, or the folder cannot be written.
    """
    if (problem := id_problem("workflow", name)) is not None:
        raise DefinitionError(problem)
    chosen = find_template(template)
    module = re.sub(r"\W", "_", name)
    home = FilePath(folder)
    wanted = {home / f"{name}.yaml": _content(f"{chosen.name}.yaml", name, module)}
    if chosen.code:
        wanted[home / f"{module}.py"] = _content(f"{chosen.name}_steps.py", name, module)
    for file in wanted:
        if os.path.lexists(file):
            raise RefusedError(f"{file} exists; choose another name or folder")
    _write(home, wanted)
    return tuple(wanted)


def _content(resource: str, name: str, module: str) -> str:
    text = resources.files("studio.loading.templates").joinpath(resource).read_text("utf-8")
    own = resource.removesuffix(".yaml")
    text = text.replace(f"workflow: {own}\n", f"workflow: {name}\n")
    return text.replace(f"{own}_steps", module)


def _write(home: FilePath, wanted: dict[FilePath, str]) -> None:
    written: list[FilePath] = []
    try:
        home.mkdir(parents=True, exist_ok=True)
        for file, content in wanted.items():
            # "x" refuses a file that appeared since it was looked for.
            with file.open("x", encoding="utf-8") as stream:
                written.append(file)
                stream.write(content)
    except OSError as error:
        for file in written:
            file.unlink(missing_ok=True)
        raise RefusedError(f"cannot write {error.filename or home}: {error.strerror}") from None
