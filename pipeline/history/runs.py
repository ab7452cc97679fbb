"""The history of runs, read from ML Metadata."""

import dataclasses
import datetime
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import ml_metadata
from ml_metadata.proto import metadata_store_pb2

from components.findings import kept_findings

# Names that TFX gives in ML Metadata.
RUN_CONTEXT, NODE_CONTEXT = "pipeline_run", "node"

# Notes of ours on a run's context.
NOTE_NAME, NOTE_CONFIG_FILE, NOTE_CONFIG_HASH = "seqline_name", "seqline_config_file", "seqline_config_hash"
NOTE_STAGES, NOTE_SETTINGS, NOTE_OVERRIDES = "seqline_stages", "seqline_settings", "seqline_overrides"
NOTE_MACHINE = "seqline_machine"


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of the pipeline.

    Attributes:
        run_id: also the name of its log file.
        name: the model's name.
        config_file: the configuration file, as it was named.
        config_hash: fingerprint of the configuration with its overrides.
        started: local time.
        seconds: from the start to the last sign of life.
        state: "done", "failed in STAGE", or "unfinished" (running at this moment, or killed).
        stages: how each stage ended: done, cached, failed, running.
        blessed: whether the model passed its evaluation; None when it was not evaluated.
        servable: whether the model passed the serving test; None when it was not tested.
        not_servable: why it did not pass.
        pushed_version: the version under which it was pushed, if it was.
        pushed_to: that version's folder.
        metrics: what the judges of the model measured, by name.
        shortfalls: the bounds that the model did not keep, one sentence each.
        pages: where a person looks closer at what a judge found, by its output, such as "evaluation".
        artifacts: folder of each output, by "STAGE/OUTPUT", such as "ModelEvaluator/evaluation".
        warnings: what the stages found and what stopped nothing, one sentence each, its stage in front.
        data: figures of the data, by name, such as `unknown_eval`, the share of unknown tokens.
    """

    run_id: str
    name: str
    config_file: str
    config_hash: str
    started: datetime.datetime
    seconds: float
    state: str
    stages: dict[str, str]
    blessed: bool | None = None
    servable: bool | None = None
    not_servable: str = ""
    pushed_version: str | None = None
    pushed_to: str | None = None
    metrics: dict[str, float] = dataclasses.field(default_factory=dict)
    shortfalls: list[str] = dataclasses.field(default_factory=list)
    pages: dict[str, str] = dataclasses.field(default_factory=dict)
    artifacts: dict[str, str] = dataclasses.field(default_factory=dict)
    warnings: list[str] = dataclasses.field(default_factory=list)
    data: dict[str, float] = dataclasses.field(default_factory=dict)

    def to_json(self) -> dict:
        """Plain values, for `seqline runs --json`."""
        return {**dataclasses.asdict(self), "started": self.started.isoformat(timespec="seconds")}


def read_runs(database: Path, last: int | None = None) -> list[Run]:
    """Reads the newest runs, newest first; none when there is no database yet.

    Args:
        database: the SQLite file of ML Metadata.
        last: how many at most; None for all.
    """
    # An empty file is left where the disk was full when the database should be made.
    if not database.exists() or database.stat().st_size == 0:
        return []
    store = open_store(database)
    contexts = sorted(store.get_contexts_by_type(RUN_CONTEXT), key=lambda context: -context.id)
    return [_read_run(store, context) for context in contexts[:last]]


def read_run(database: Path, run_id: str) -> Run | None:
    """Reads one run."""
    return next((run for run in read_runs(database) if run.run_id == run_id), None)


def open_store(database: Path) -> ml_metadata.MetadataStore:
    """ML Metadata, to be read."""
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(database)
    config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READONLY
    return ml_metadata.MetadataStore(config)


def _read_run(store: ml_metadata.MetadataStore, context: metadata_store_pb2.Context) -> Run:
    executions = sorted(store.get_executions_by_context(context.id), key=lambda execution: execution.id)
    names = {execution.id: stage_of(store, execution) for execution in executions}
    stages = {names[execution.id]: _state(execution) for execution in executions}
    outputs = _outputs(store, executions, names)
    by_type = {artifact.type: artifact for artifact in outputs.values()}
    blessing, infra_blessing = by_type.get("ModelBlessing"), by_type.get("InfraBlessing")
    pushed = by_type.get("PushedModel")
    if pushed is not None and pushed.custom_properties["pushed"].int_value != 1:
        pushed = None
    newest = max((execution.last_update_time_since_epoch for execution in executions), default=0)
    notes = context.custom_properties
    found = {name: findings for name, one in outputs.items() if (findings := kept_findings(one.custom_properties))}
    # Runs of before have them with the run itself.
    all_found = [findings for findings in (kept_findings(notes), *found.values()) if findings]
    return Run(
        run_id=context.name,
        name=notes[NOTE_NAME].string_value,
        config_file=notes[NOTE_CONFIG_FILE].string_value,
        config_hash=notes[NOTE_CONFIG_HASH].string_value,
        started=datetime.datetime.fromtimestamp(context.create_time_since_epoch / 1000).astimezone(),
        seconds=max(0, newest - context.create_time_since_epoch) / 1000,
        state=_run_state(stages, json.loads(notes[NOTE_STAGES].string_value or "[]")),
        stages=stages,
        blessed=None if blessing is None else _is_blessed(blessing),
        servable=None if infra_blessing is None else _is_blessed(infra_blessing),
        not_servable="" if infra_blessing is None else infra_blessing.custom_properties["reason"].string_value,
        pushed_version=None if pushed is None else pushed.custom_properties["pushed_version"].string_value,
        pushed_to=None if pushed is None else pushed.custom_properties["pushed_destination"].string_value,
        metrics={name: value for findings in all_found for name, value in findings.metrics.items()},
        shortfalls=[shortfall for findings in all_found for shortfall in findings.shortfalls],
        pages={
            name.rpartition("/")[2]: _page(outputs[name].uri, findings.page)
            for name, findings in found.items()
            if findings.page is not None
        },
        artifacts={name: artifact.uri for name, artifact in outputs.items()},
        warnings=[
            f"{name.partition('/')[0]}: {warning}" for name, findings in found.items() for warning in findings.warnings
        ],
        data={name: value for findings in all_found for name, value in findings.data.items()},
    )


def _is_blessed(artifact: metadata_store_pb2.Artifact) -> bool:
    return artifact.custom_properties["blessed"].int_value == 1


def stage_of(store: ml_metadata.MetadataStore, execution: metadata_store_pb2.Execution) -> str:
    """The stage that was executed."""
    for context in store.get_contexts_by_execution(execution.id):
        if context.type == NODE_CONTEXT:
            return context.name.rpartition(".")[2]
    return execution.type.rpartition(".")[2]


def _state(execution: metadata_store_pb2.Execution) -> str:
    match execution.last_known_state:
        case metadata_store_pb2.Execution.COMPLETE:
            return "done"
        case metadata_store_pb2.Execution.CACHED:
            return "cached"
        case metadata_store_pb2.Execution.NEW | metadata_store_pb2.Execution.RUNNING:
            return "running"
        case _:
            return "failed"


def _run_state(stages: dict[str, str], planned: list[str]) -> str:
    for stage, state in stages.items():
        if state == "failed":
            return f"failed in {stage}"
    complete = stages and "running" not in stages.values() and set(planned) <= set(stages)
    return "done" if complete else "unfinished"


def _page(folder: str, page: str) -> str:
    return f"{folder}/{page}" if page else folder


def _outputs(
    store: ml_metadata.MetadataStore, executions: Iterable[metadata_store_pb2.Execution], names: Mapping[int, str]
) -> dict[str, metadata_store_pb2.Artifact]:
    """What the stages made, by "STAGE/OUTPUT". Resolvers are left out: what they give was made by other runs."""
    ids = [execution.id for execution in executions if not execution.type.endswith(".Resolver")]
    events = store.get_events_by_execution_ids(ids) if ids else []
    made = {
        event.artifact_id: f"{names[event.execution_id]}/{event.path.steps[0].key}"
        for event in events
        if event.type == metadata_store_pb2.Event.OUTPUT
    }
    artifacts = sorted(store.get_artifacts_by_id(made) if made else [], key=lambda artifact: artifact.id)
    return {made[one.id]: one for one in artifacts if one.state == metadata_store_pb2.Artifact.LIVE}
