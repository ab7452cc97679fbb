import logging
import sys
from pathlib import Path

import pytest
from tfx import v1 as tfx
from tfx.types.standard_artifacts import Model

from pipeline.errors import StageFailed
from pipeline.orchestrators import local
from pipeline.orchestrators.compiled import compile_pipeline
from pipeline.orchestrators.events import StageEvent, State
from pipeline.orchestrators.node import Outputs
from tests.pipeline import tiny_stages

STARTED, DONE, CACHED, FAILED = State.STARTED, State.DONE, State.CACHED, State.FAILED


def run(root: Path, components: list, run_id: str, still_true: dict | None = None) -> list[StageEvent]:
    events: list[StageEvent] = []
    compiled = compile_pipeline(tiny_stages.pipeline_of(root, components), run_id)
    try:
        local.run(compiled, events.append, still_true or {})
    finally:
        run.events = events
    return events


def states(events: list[StageEvent]) -> list[tuple[str, State]]:
    return [(event.stage, event.state) for event in events]


def test_stages_run_then_come_from_the_cache(tmp_path: Path) -> None:
    first = run(tmp_path, tiny_stages.load_and_train(tmp_path), "1")
    assert states(first) == [("Load", STARTED), ("Load", DONE), ("Train", STARTED), ("Train", DONE)]
    assert all(event.seconds > 0 for event in first if event.state == DONE)
    second = run(tmp_path, tiny_stages.load_and_train(tmp_path), "2")
    assert states(second) == [("Load", STARTED), ("Load", CACHED), ("Train", STARTED), ("Train", CACHED)]


def test_a_changed_argument_runs_the_stage_and_those_below_it(tmp_path: Path) -> None:
    run(tmp_path, tiny_stages.load_and_train(tmp_path), "1")
    changed = run(tmp_path, tiny_stages.load_and_train(tmp_path, text="other words"), "2")
    assert [event.state for event in changed] == [STARTED, DONE, STARTED, DONE]


def test_a_failing_stage_raises_its_own_error_and_the_next_run_resumes(tmp_path: Path) -> None:
    (tmp_path / "trouble").write_text("bug")
    with pytest.raises(StageFailed) as caught:
        run(tmp_path, tiny_stages.load_and_train(tmp_path), "1")
    assert caught.value.stage == "Train"
    assert isinstance(caught.value.cause, ValueError)
    assert states(run.events)[-1] == ("Train", FAILED)
    assert list(tmp_path.glob("artifacts/Train/model/*")) == [], "half a model stayed"

    (tmp_path / "trouble").unlink()
    resumed = run(tmp_path, tiny_stages.load_and_train(tmp_path), "2")
    assert states(resumed) == [("Load", STARTED), ("Load", CACHED), ("Train", STARTED), ("Train", DONE)]


def test_missing_inputs_are_a_failure_although_tfx_does_not_raise(tmp_path: Path) -> None:
    orphan = tiny_stages.Judge(model=tfx.dsl.Channel(type=Model), verdict=1)
    with pytest.raises(StageFailed) as caught:
        run(tmp_path, [orphan], "1")
    assert caught.value.stage == "Judge"
    assert caught.value.cause is None
    assert "Judge" in caught.value.detail or "model" in caught.value.detail


def test_a_cached_result_that_no_longer_holds_is_made_again(tmp_path: Path) -> None:
    def still_true(outputs: Outputs) -> bool:
        return Path(outputs["pushed_model"][0].get_string_custom_property("pushed_destination")).exists()

    def components() -> list:
        load, train = tiny_stages.load_and_train(tmp_path)
        return [load, train, tiny_stages.Push(model=train.outputs["model"], target=str(tmp_path / "serving"))]

    run(tmp_path, components(), "1", {"Push": still_true})
    assert states(run(tmp_path, components(), "2", {"Push": still_true}))[-1] == ("Push", CACHED)
    (tmp_path / "serving" / "1").rmdir()
    assert states(run(tmp_path, components(), "3", {"Push": still_true}))[-1] == ("Push", DONE)
    assert (tmp_path / "serving" / "1").exists()


def test_the_command_line_is_hidden_from_tfx_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["seqline", "run", "--set", "training.epochs=3"])
    seen: list[list[str]] = []
    compiled = compile_pipeline(tiny_stages.pipeline_of(tmp_path, tiny_stages.load_and_train(tmp_path)), "1")
    local.run(compiled, lambda event: seen.append(list(sys.argv)), {})
    assert seen and all(arguments == ["seqline"] for arguments in seen)
    assert sys.argv == ["seqline", "run", "--set", "training.epochs=3"]


def test_progress_of_a_stage_reaches_listeners_of_the_logger(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "seqline.progress"):
        run(tmp_path, tiny_stages.load_and_train(tmp_path), "1")
    told = [record.progress for record in caplog.records if record.name == "seqline.progress"]
    assert [progress["completed"] for progress in told] == [1, 2]
