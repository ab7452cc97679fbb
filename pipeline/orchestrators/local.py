"""Runs the stages of a compiled pipeline one after another in this process.

TFX's LocalDagRunner does the same launching, but it says nothing about its progress, does not tell a cached stage from
one that ran, and returns normally when the inputs of a stage are not found.
"""

from collections.abc import Mapping

from tfx.proto.orchestration import pipeline_pb2

from pipeline.orchestrators.compiled import pipeline_nodes
from pipeline.orchestrators.events import Listener
from pipeline.orchestrators.node import StillTrue, run_node, without_arguments


def run(compiled: pipeline_pb2.Pipeline, listener: Listener, still_true: Mapping[str, StillTrue]) -> None:
    """Launches every stage; raises StageFailed at the first that fails. What ran before is in the cache next time.

    Args:
        compiled: from compile_pipeline.
        listener: is told when a stage starts and how it ends.
        still_true: for stages whose effect lies outside of the artifacts: whether a cached result still holds.
    """
    with without_arguments():
        for node in pipeline_nodes(compiled):
            run_node(compiled, node, listener, still_true.get(node.node_info.id))
