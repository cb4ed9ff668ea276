"""What a run gets from the environment of whoever starts it: variables for its children, and its secrets."""

import io
from collections.abc import Mapping
from pathlib import Path

from studio.engine.orders import RunContext
from studio.errors import DefinitionError
from studio.model.workflow import Workflow

ENV_FILE = ".env"


def read_env_file(root: Path) -> dict[str, str]:
    """Variables of ``.env`` beside ``studio.toml``; none when there is no file.

    Raises `DefinitionError` when it cannot be read.
    """
    path = root / ENV_FILE
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{path}: {error}") from error
    from dotenv import dotenv_values  # lazy: only projects with a .env need it

    found = dotenv_values(stream=io.StringIO(text), interpolate=False)
    return {name: value for name, value in found.items() if value is not None}


def secret_values(workflow: Workflow, root: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The values of the declared secrets that are set, by name. Raises `DefinitionError` as `read_env_file` does."""
    if not workflow.secrets:
        return {}
    stored = read_env_file(root)
    found = {name: environ.get(name) or stored.get(name) for name in workflow.secrets}
    return {name: value for name, value in found.items() if value}


def make_context(
    workflow: Workflow, root: Path, state: Path, environ: Mapping[str, str]
) -> RunContext:
    """The environment of a run's children and the values of its secrets.

    Children see the sender's variables without the declared secrets: those reach a node only where its
    definition inserts them.

    Raises:
        DefinitionError: a declared secret is set nowhere.
    """
    secrets = secret_values(workflow, root, environ)
    missing = [name for name in workflow.secrets if name not in secrets]
    if missing:
        raise DefinitionError(
            "\n".join(
                f"{name} is not set: put it into {root / ENV_FILE}, or export it."
                for name in missing
            )
        )
    hidden = set(workflow.secrets)
    env = {name: value for name, value in environ.items() if name not in hidden}
    return RunContext(env, secrets, str(state / "results"))
