"""Tells which stages would run and which would come from the cache, without running anything.

The stages are launched by TFX's own launcher against a throw-away copy of ML Metadata, with executors that refuse to
work: a stage that comes from the cache is published in the copy, so that the next one finds its inputs; a stage that
would run gives itself away.
"""

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.portable import base_executor_operator, data_types
from tfx.proto.orchestration import executable_spec_pb2, pipeline_pb2

from pipeline.orchestrators.compiled import compiled_deployment, pipeline_nodes, stage_ids
from pipeline.orchestrators.node import StillTrue, forbid_stale_cache, make_launcher


class WouldRun(Exception):
    """The stage is not in the cache."""


class _Refusing(base_executor_operator.BaseExecutorOperator):
    SUPPORTED_EXECUTOR_SPEC_TYPE = [
        executable_spec_pb2.PythonClassExecutableSpec,
        executable_spec_pb2.BeamExecutableSpec,
    ]
    SUPPORTED_PLATFORM_CONFIG_TYPE: list = []

    def run_executor(self, execution_info: data_types.ExecutionInfo) -> None:
        raise WouldRun


def plan(compiled: pipeline_pb2.Pipeline, still_true: Mapping[str, StillTrue]) -> dict[str, bool]:
    """For each stage in order, whether it would run (else it comes from the cache).

    What stands below a stage that would run is said to run too: its inputs are not known yet.
    """
    will_run: dict[str, bool] = {}
    with _rehearsal(compiled) as rehearsed:
        for node in pipeline_nodes(rehearsed):
            stage = node.node_info.id
            will_run[stage] = any(will_run[upstream] for upstream in node.upstream_nodes) or _would_run(
                rehearsed, node, still_true.get(stage)
            )
    return {stage: will_run[stage] for stage in stage_ids(compiled)}


def _would_run(rehearsed: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode, still_true: StillTrue | None) -> bool:
    refusing = dict.fromkeys(_Refusing.SUPPORTED_EXECUTOR_SPEC_TYPE, _Refusing)
    try:
        forbid_stale_cache(rehearsed, node, still_true)
        make_launcher(rehearsed, node, refusing).launch()
    except WouldRun:
        return True
    return False


@contextlib.contextmanager
def _rehearsal(compiled: pipeline_pb2.Pipeline) -> Iterator[pipeline_pb2.Pipeline]:
    """The pipeline on a copy of its ML Metadata, with a throw-away folder for what it writes."""
    rehearsed = pipeline_pb2.Pipeline()
    rehearsed.CopyFrom(compiled)
    with tempfile.TemporaryDirectory(prefix="seqline-plan-") as folder:
        copy = Path(folder) / "metadata.sqlite"
        connection = compiled_deployment(compiled).metadata_connection_config
        original = Path(connection.database_connection_config.sqlite.filename_uri)
        if original.exists():
            # Through SQLite and not a file copy: a run may be writing at this moment.
            with contextlib.closing(sqlite3.connect(f"file:{original}?mode=ro", uri=True)) as source:
                with contextlib.closing(sqlite3.connect(copy)) as target:
                    source.backup(target)
        _point_at(rehearsed, copy, Path(folder) / "artifacts")
        yield rehearsed


def _point_at(rehearsed: pipeline_pb2.Pipeline, database: Path, root: Path) -> None:
    rehearsed.runtime_spec.pipeline_root.field_value.string_value = str(root)
    deployment = pipeline_pb2.IntermediateDeploymentConfig()
    rehearsed.deployment_config.Unpack(deployment)
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(database)
    config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    deployment.metadata_connection_config.Pack(config)
    rehearsed.deployment_config.Pack(deployment)
