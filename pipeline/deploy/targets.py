"""The orchestrators that a line can be handed over to."""

import enum
import importlib
from collections.abc import Sequence
from pathlib import Path

from pipeline.config.config import Config


class Target(enum.StrEnum):
    """An orchestrator; its value names the module of this room that knows it."""

    AIRFLOW = "airflow"


def deploy_to(target: Target, folder: Path, config: Config, config_file: Path, overrides: Sequence[str]) -> list[str]:
    """Hands a line over; returns what was written and what to do next, a line each.

    Args:
        target: the orchestrator.
        folder: where it looks.
        config: what to run.
        config_file: where it was read; each run reads it anew.
        overrides: of the command line, for each run.

    Raises:
        SeqlineError: what the orchestrator cannot do, one sentence each, before anything is written.
    """
    return importlib.import_module(f"pipeline.deploy.{target}").deploy(folder, config, config_file, overrides)
