"""What ML Metadata knows of a run besides its history: its settings, its machine, who made what."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ml_metadata
from ml_metadata.proto import metadata_store_pb2

from components.files_hash import hash_folder
from pipeline.history import runs

# A digest of more would take longer than the rest of the report.
_MOST_BYTES = 50_000_000
_BASELINE = "baseline_model"


@dataclasses.dataclass(frozen=True)
class Made:
    """An artifact of a run.

    Attributes:
        output: "STAGE/OUTPUT".
        number: its version in ML Metadata.
        kind: name of its type.
        uri: where it lies.
        maker: the run that made it, this one or, from the cache, one of before.
        code: digest of the code of the stage.
        digest: of its files; "" where they are not on this disk, or too large.
    """

    output: str
    number: int
    kind: str
    uri: str
    maker: str
    code: str
    digest: str


@dataclasses.dataclass(frozen=True)
class Lineage:
    """Where a run came from.

    Attributes:
        settings: the configuration as it was given; None for a run of before, which has none.
        overrides: of the command line.
        machine: what it ran on, and versions of packages.
        made: its artifacts, in the order of the stages.
        compared_with: the run whose model was the last blessed one; "" for none.
        failure: what ML Metadata has of why it failed; "" for nothing.
    """

    settings: dict[str, Any] | None
    overrides: list[str]
    machine: dict[str, str]
    made: list[Made]
    compared_with: str
    failure: str


def read_lineage(database: Path, run_id: str) -> Lineage:
    """Reads it; the run must be there."""
    store = runs.open_store(database)
    context = store.get_context_by_type_and_name(runs.RUN_CONTEXT, run_id)
    notes = context.custom_properties
    executions = sorted(store.get_executions_by_context(context.id), key=lambda execution: execution.id)
    by_id = {execution.id: execution for execution in executions}
    events = store.get_events_by_execution_ids(list(by_id)) if by_id else []
    return Lineage(
        settings=json.loads(notes[runs.NOTE_SETTINGS].string_value) if runs.NOTE_SETTINGS in notes else None,
        overrides=json.loads(notes[runs.NOTE_OVERRIDES].string_value or "[]"),
        machine=json.loads(notes[runs.NOTE_MACHINE].string_value or "{}"),
        made=_made(store, by_id, events),
        compared_with=_compared_with(store, events),
        failure=next((text for one in executions if (text := _failure(one))), ""),
    )


def _made(
    store: ml_metadata.MetadataStore,
    executions: Mapping[int, metadata_store_pb2.Execution],
    events: list[metadata_store_pb2.Event],
) -> list[Made]:
    outputs = [
        event
        for event in events
        if event.type == metadata_store_pb2.Event.OUTPUT
        and not executions[event.execution_id].type.endswith(".Resolver")
    ]
    artifacts = {one.id: one for one in store.get_artifacts_by_id([event.artifact_id for event in outputs])}
    result = []
    for event in outputs:
        artifact, execution = artifacts[event.artifact_id], executions[event.execution_id]
        result.append(
            Made(
                output=f"{runs.stage_of(store, execution)}/{event.path.steps[0].key}",
                number=artifact.id,
                kind=artifact.type,
                uri=artifact.uri,
                maker=_maker(store, artifact.id),
                code=execution.custom_properties["executor_code_hash"].string_value,
                digest=_digest(artifact.uri),
            )
        )
    return result


def _maker(store: ml_metadata.MetadataStore, artifact: int) -> str:
    """The run that made an artifact: the first whose stage gave it."""
    events = store.get_events_by_artifact_ids([artifact])
    outputs = [event.execution_id for event in events if event.type == metadata_store_pb2.Event.OUTPUT]
    contexts = store.get_contexts_by_execution(min(outputs)) if outputs else []
    return next((context.name for context in contexts if context.type == runs.RUN_CONTEXT), "")


def _compared_with(store: ml_metadata.MetadataStore, events: list[metadata_store_pb2.Event]) -> str:
    given = [
        event.artifact_id
        for event in events
        if event.type == metadata_store_pb2.Event.INPUT and event.path.steps[0].key == _BASELINE
    ]
    return _maker(store, given[0]) if given else ""


def _failure(execution: metadata_store_pb2.Execution) -> str:
    if execution.last_known_state != metadata_store_pb2.Execution.FAILED:
        return ""
    told = execution.custom_properties["__execution_result__"].string_value
    return json.loads(told).get("resultMessage", "") if told else ""


def _digest(uri: str) -> str:
    folder = Path(uri)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files or sum(path.stat().st_size for path in files) > _MOST_BYTES:
        return ""
    return hash_folder(folder)[:16]
