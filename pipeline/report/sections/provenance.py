"""Where the run came from, and how to make it again."""

import shlex
from collections.abc import Iterator
from typing import Any

import pydantic

from pipeline.config.config import Config
from pipeline.report.form import Paragraph, Section, Table
from pipeline.report.source import Source

Row = list[str | int | float | None]


def section(source: Source) -> Section:
    """Artifacts, settings, versions, the command."""
    run, lineage = source.run, source.lineage
    changed = [word for one in lineage.overrides for word in ("--set", one)]
    command = shlex.join(["seqline", "run", "-c", run.config_file, *changed])
    stages: list[Row] = [[stage, state] for stage, state in run.stages.items()]
    artifacts: list[Row] = [
        [made.output, made.number, made.kind, made.maker, made.code, made.digest, made.uri] for made in lineage.made
    ]
    machine: list[Row] = [[name, value] for name, value in lineage.machine.items()]
    return Section(
        name="provenance",
        title="Where it came from",
        blocks=[
            Paragraph(text=f"Made by: {command}"),
            Paragraph(text=f"Configuration {run.config_hash}, started {run.started:%Y-%m-%d %H:%M:%S %z}."),
            Table(
                title="Settings that differ from the defaults",
                columns=["key", "value", "default"],
                rows=differing(source.config),
            ),
            Table(title="Stages", columns=["stage", "how it ended"], rows=stages),
            Table(
                title="Artifacts",
                columns=["output", "version", "type", "made by run", "code", "digest", "place"],
                rows=artifacts,
                folded=True,
            ),
            Table(title="Machine and versions", columns=["what", "value"], rows=machine, folded=True),
        ],
    )


def differing(config: Config) -> list[Row]:
    """Each key that has another value than its default, in the order of the configuration."""
    return [list(row) for row in _differing(config, "")]


def _differing(settings: pydantic.BaseModel, prefix: str) -> Iterator[Row]:
    for name, field in type(settings).model_fields.items():
        value, key = getattr(settings, name), f"{prefix}{name}"
        if isinstance(value, pydantic.BaseModel):
            yield from _differing(value, f"{key}.")
        elif field.is_required():
            yield [key, _shown(value), "required"]
        elif value != (default := field.get_default(call_default_factory=True)):
            yield [key, _shown(value), _shown(default)]


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_shown(one)}" for name, one in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value)) or "none"
    if isinstance(value, pydantic.BaseModel):
        return "{" + _shown(value.model_dump(exclude_none=True)) + "}"
    return "none" if value in (None, "") else str(value).lower() if isinstance(value, bool) else str(value)
