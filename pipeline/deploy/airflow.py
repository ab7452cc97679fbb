"""Hands a line over to Airflow 2.11 or 3: a file for its folder of DAGs, and a JSON beside it for what is ours."""

import contextlib
import datetime
import difflib
import json
import os
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.config.config import Config
from pipeline.errors import ConfigError
from pipeline.run.by_stage import compile_to
from pipeline.run.output_folder import OutputFolder

_DAG = Path(__file__).with_name("airflow_dag.py")
_PREFIX = "seqline_"
# A run that says otherwise would not be where the tasks of the DAG, and the links to its report, look for it.
_FIXED = ("name", "task", "output_dir", "orchestration")


def deploy(folder: Path, config: Config, config_file: Path, overrides: Sequence[str]) -> list[str]:
    """Writes the two files; see `pipeline.deploy.targets.deploy_to`."""
    parameters: dict[str, Any] = {}
    problems = [*_problems_of_place(folder, config, config_file), *_read_parameters(config, parameters)]
    if problems:
        raise ConfigError("\n".join(problems))
    stages = _stages(config, config_file, overrides)
    if problems := list(_problems_of_pools(config.orchestration.pools, stages)):
        raise ConfigError("\n".join(problems))
    file = folder / f"{_PREFIX}{config.name}.py"
    line = _line(config, config_file, overrides, stages, parameters)
    try:
        # The JSON first: a DAG that Airflow finds must have it.
        _replace(file.with_suffix(".json"), json.dumps(line, indent=1, ensure_ascii=False) + "\n")
        _replace(file, _DAG.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}; name another folder") from error
    return [f"Wrote {file} and its JSON", *_next_steps(config)]


def _line(
    config: Config, config_file: Path, overrides: Sequence[str], stages: Mapping[str, Any], parameters: dict[str, Any]
) -> dict[str, Any]:
    """What the DAG reads."""
    said, folder = config.orchestration, OutputFolder(config)
    return {
        "name": config.name,
        "description": f"{config.task} with {config.model.architecture}, from {config_file.name}",
        "program": str(_program()),
        "folder": str(Path.cwd()),
        "config": str(config_file.resolve()),
        "overrides": list(overrides),
        "compiled": str(folder.compiled),
        "reports": str(folder.reports),
        "reports_url": said.reports_url or folder.reports.as_uri(),
        "stages": stages,
        "parameters": parameters,
        "start": (said.start or datetime.date.today()).isoformat(),
        **said.model_dump(include={"schedule", "time_zone", "catch_up", "retries", "retry_minutes", "pools"}),
    }


def _program() -> Path:
    return Path(sys.executable).with_name("seqline")


def _stages(config: Config, config_file: Path, overrides: Sequence[str]) -> dict[str, list[str]]:
    with tempfile.TemporaryDirectory(prefix="seqline-deploy-") as scratch:
        compiled = Path(scratch) / "run.json"
        compile_to(compiled, config, config_file, overrides, run_id="")
        return json.loads(compiled.read_text(encoding="utf-8"))["stages"]


def _problems_of_place(folder: Path, config: Config, config_file: Path) -> Iterator[str]:
    if not folder.is_dir():
        yield f"FOLDER must be the folder in which Airflow looks for DAGs. Received: {folder}, which is no folder"
    if not os.access(_program(), os.X_OK):
        yield f"Airflow starts {_program()}, which is not there: set up this environment, scripts/setup.sh"
    for file, other in _deployed(folder):
        if other["name"] == config.name and other["config"] != str(config_file.resolve()):
            yield (
                f"name must be that of no other line in {folder}. Received: {config.name}, which {other['config']} "
                f"has. Choose another, or remove {file} and its DAG"
            )
        elif other["name"] != config.name and other["compiled"] == str(OutputFolder(config).compiled):
            yield (
                "output_dir must be a folder of its own for each line under Airflow: one run at a time works in it. "
                f"Received: {OutputFolder(config).root}, which {other['name']} has. Choose another with --set "
                "output_dir=FOLDER"
            )


def _deployed(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """What has been written for the lines that are there already."""
    for file in sorted(folder.glob(f"{_PREFIX}*.json")):
        # A file of that name may be someone else's.
        with contextlib.suppress(ValueError):
            line = json.loads(file.read_text(encoding="utf-8"))
            if isinstance(line, dict) and {"name", "config", "compiled"} <= line.keys():
                yield file, line


def _read_parameters(config: Config, parameters: dict[str, Any]) -> Iterator[str]:
    """Writes the value of each key; gives a sentence for each that is none, or that no run may change."""
    for key in config.orchestration.parameters:
        *sections, last = key.split(".")
        values: Any = config.model_dump(mode="json")
        for section in sections:
            values = values.get(section) if isinstance(values, dict) else None
        if key.partition(".")[0] in _FIXED:
            yield f"orchestration.parameters must leave {', '.join(_FIXED)} alone. Received: {key}"
        elif not isinstance(values, dict) or last not in values:
            yield f"orchestration.parameters must be keys of the configuration. Received: {key}{_nearest(key, values)}"
        elif isinstance(values[last], dict):
            yield f"orchestration.parameters must be single values or lists. Received: {key}, a section or a mapping"
        else:
            parameters[key] = values[last]


def _problems_of_pools(pools: Mapping[str, str], stages: Mapping[str, Any]) -> Iterator[str]:
    for stage in pools:
        if stage not in stages:
            yield (
                f"orchestration.pools must name stages of this line: {', '.join(stages)}. "
                f"Received: {stage}{_nearest(stage, stages)}"
            )


def _nearest(key: str, valid: Collection[str] | None) -> str:
    section, _, last = key.rpartition(".")
    close = difflib.get_close_matches(last, valid or (), n=1)
    return f"; did you mean {f'{section}.{close[0]}'.lstrip('.')}?" if close else ""


def _replace(file: Path, text: str) -> None:
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, file)


def _next_steps(config: Config) -> Iterator[str]:
    for pool in sorted(set(config.orchestration.pools.values())):
        yield f"Unless there is the pool already: airflow pools set {pool} 1 Seqline"
    yield f"Next: airflow dags unpause {config.name}"
    if not config.orchestration.schedule:
        yield f"      airflow dags trigger {config.name}"
