"""New workflows from templates."""

from pathlib import Path

from studio.loading.scaffold import TEMPLATES, scaffold

TEMPLATE_NAMES: tuple[tuple[str, str], ...] = tuple((one.name, one.summary) for one in TEMPLATES)
"""Names of the templates, and what each is for."""


def create_workflow(name: str, template: str, folder: Path) -> tuple[Path, ...]:
    """Write a new workflow and its code. Raises `RefusedError`, `NotFoundError`, `DefinitionError`."""
    return scaffold(name, template, folder)
