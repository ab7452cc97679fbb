import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf import json_format
from tfx.proto.orchestration import pipeline_pb2

from pipeline.errors import StageFailed, StageNotReady
from pipeline.history.runs import Run, read_run
from pipeline.orchestrators import local
from pipeline.orchestrators.baseline import previous_blessed_model
from pipeline.orchestrators.compiled import compile_pipeline, stage_ids
from pipeline.orchestrators.events import StageEvent, State
from pipeline.orchestrators.node import run_stage
from tests.pipeline import tiny_stages

PROCESS = """
import sys
from pathlib import Path
from google.protobuf import json_format
from tfx.proto.orchestration import pipeline_pb2
from pipeline.orchestrators.node import run_stage
pipeline = json_format.Parse(Path(sys.argv[1]).read_text(), pipeline_pb2.Pipeline())
print("ready", flush=True)
sys.stdin.readline()
run_stage(pipeline, sys.argv[2], lambda event: print(event.state, flush=True), {})
"""


def compiled(root: Path, run_id: str, text: str = "words") -> pipeline_pb2.Pipeline:
    """Load, Train, a resolver, Compare, Judge; two stages more beside them."""
    load, train = tiny_stages.load_and_train(root, text)
    baseline = previous_blessed_model("text_to_text", train)
    compare = tiny_stages.Compare(model=train.outputs["model"], baseline=baseline.outputs["model"])
    judge = tiny_stages.Judge(model=train.outputs["model"], verdict=1)
    judge.add_upstream_node(compare)
    branches = [tiny_stages.Load(text=name).with_id(name) for name in ("Left", "Right")]
    return compile_pipeline(tiny_stages.pipeline_of(root, [load, train, baseline, compare, judge, *branches]), run_id)


def state(pipeline: pipeline_pb2.Pipeline, stage: str) -> State:
    """Runs a stage; returns how it ended."""
    events: list[StageEvent] = []
    run_stage(pipeline, stage, events.append, {})
    assert [event.stage for event in events] == [stage, stage]
    return events[-1].state


def told(root: Path, run_id: str) -> Run:
    run = read_run(root / "metadata.sqlite", run_id)
    assert run is not None
    return run


def test_stages_run_one_by_one_are_what_a_run_is(tmp_path: Path) -> None:
    for folder in ("loop", "nodes"):
        (tmp_path / folder).mkdir()
    local.run(compiled(tmp_path / "loop", "1"), lambda event: None, {})
    pipeline = compiled(tmp_path / "nodes", "1")
    assert {state(pipeline, stage) for stage in stage_ids(pipeline)} == {State.DONE}
    loop, nodes = told(tmp_path / "loop", "1"), told(tmp_path / "nodes", "1")
    assert nodes.stages == loop.stages, "the resolver has run too"
    assert nodes.state == loop.state == "done"
    assert sorted(nodes.artifacts) == sorted(loop.artifacts)
    again = compiled(tmp_path / "nodes", "2")
    assert {state(again, stage) for stage in stage_ids(again)} == {State.CACHED}


def test_a_stage_brings_the_resolver_that_it_needs_once(tmp_path: Path) -> None:
    pipeline = compiled(tmp_path, "1")
    for stage in stage_ids(pipeline):
        state(pipeline, stage)
    other = compiled(tmp_path, "2", text="others")
    for stage in ("Load", "Train", "Compare", "Compare"):
        state(other, stage)
    [_, newest] = sorted((tmp_path / "artifacts" / "Compare" / "report").iterdir(), key=lambda path: int(path.name))
    assert (Path((newest / "baseline").read_text()) / "model").read_text() == "a model of words"


def test_a_stage_that_has_ended_well_stays_as_it_is(tmp_path: Path) -> None:
    pipeline = compiled(tmp_path, "1")
    state(pipeline, "Load")
    [made] = (tmp_path / "artifacts" / "Load" / "examples").iterdir()
    (made / "text").write_text("touched")
    assert state(pipeline, "Load") == State.DONE
    assert (made / "text").read_text() == "touched"


def test_a_stage_waits_for_those_before_it(tmp_path: Path) -> None:
    pipeline = compiled(tmp_path, "1")
    with pytest.raises(StageNotReady, match="^Compare needs .* first run Train$"):
        state(pipeline, "Compare")
    with pytest.raises(StageNotReady, match="^There is no stage Trane; the stages are .*Load.*Train"):
        state(pipeline, "Trane")
    state(pipeline, "Load")
    with pytest.raises(StageNotReady, match="first run Load$"):
        state(compiled(tmp_path, "2"), "Train")


def test_a_stage_that_failed_runs_anew_in_the_same_run(tmp_path: Path) -> None:
    pipeline = compiled(tmp_path, "1")
    state(pipeline, "Load")
    (tmp_path / "trouble").write_text("bug")
    with pytest.raises(StageFailed):
        state(pipeline, "Train")
    assert told(tmp_path, "1").state == "failed in Train"
    (tmp_path / "trouble").unlink()
    assert state(pipeline, "Train") == State.DONE
    assert told(tmp_path, "1").stages["Train"] == "done"


def test_what_a_killed_attempt_left_is_gone_before_the_next(tmp_path: Path) -> None:
    pipeline = compiled(tmp_path, "1")
    state(pipeline, "Load")
    (tmp_path / "trouble").write_text("bug")
    with pytest.raises(StageFailed):
        state(pipeline, "Train")
    # A kill gives TFX no chance to tidy up after the attempt.
    [execution] = (tmp_path / "artifacts" / "Train" / ".system" / "executor_execution").iterdir()
    half = tmp_path / "artifacts" / "Train" / "model" / execution.name
    half.mkdir(parents=True)
    (half / "leftover").write_text("half a model")
    (tmp_path / "trouble").unlink()
    assert state(pipeline, "Train") == State.DONE
    assert (half / "model").exists() and not (half / "leftover").exists()


@pytest.fixture
def start(tmp_path: Path) -> Callable[[pipeline_pb2.Pipeline, str], subprocess.Popen[str]]:
    def start(pipeline: pipeline_pb2.Pipeline, stage: str) -> subprocess.Popen[str]:
        file = tmp_path / "pipeline.json"
        file.write_text(json_format.MessageToJson(pipeline))
        process = subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(file), stage], stdin=-1, stdout=-1, stderr=-1, text=True
        )
        assert process.stdout and process.stdout.readline() == "ready\n"
        return process

    return start


def test_branches_run_at_the_same_time_in_processes_of_their_own(
    tmp_path: Path, start: Callable[[pipeline_pb2.Pipeline, str], subprocess.Popen[str]]
) -> None:
    pipeline = compiled(tmp_path, "1")
    state(pipeline, "Load")
    processes = [start(pipeline, stage) for stage in ("Left", "Right", "Train")]
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate() for process in processes]
    assert [out for out, _ in said] == ["started\ndone\n"] * 3, said
    assert told(tmp_path, "1").stages == {"Load": "done", "Left": "done", "Right": "done", "Train": "done"}
