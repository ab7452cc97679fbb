from pathlib import Path

from pipeline.orchestrators import local
from pipeline.orchestrators.baseline import previous_blessed_model
from pipeline.orchestrators.compiled import compile_pipeline
from pipeline.orchestrators.events import State
from tests.pipeline import tiny_stages


def run(
    root: Path, text: str, verdict: int = 1, task: str = "text_to_text", second_verdict: int | None = None
) -> tuple[str, dict[str, State]]:
    """Trains on `text`; returns what the new model was compared with, and how the stages ended."""
    load, train = tiny_stages.load_and_train(root, text)
    baseline = previous_blessed_model(task, train)
    compare = tiny_stages.Compare(model=train.outputs["model"], baseline=baseline.outputs["model"])
    judge = tiny_stages.Judge(model=train.outputs["model"], verdict=verdict)
    judge.add_upstream_node(compare)
    judges = [judge]
    if second_verdict is not None:
        judges.append(tiny_stages.Judge(model=train.outputs["model"], verdict=second_verdict).with_id("Second"))
        judges[1].add_upstream_node(judge)
    ended: dict[str, State] = {}
    compiled = compile_pipeline(
        tiny_stages.pipeline_of(root, [load, train, baseline, compare, *judges]), f"{len(list(root.glob('run-*')))}"
    )
    (root / f"run-{len(list(root.glob('run-*')))}").touch()
    local.run(compiled, lambda event: ended.update({event.stage: event.state}), {})
    report = max((root / "artifacts" / "Compare" / "report").iterdir(), key=lambda path: int(path.name))
    seen = Path((report / "baseline").read_text())
    return (seen / "model").read_text() if seen.is_dir() else str(seen), ended


def test_a_first_model_is_compared_with_none(tmp_path: Path) -> None:
    assert run(tmp_path, "a")[0] == "none"


def test_a_repeated_run_is_not_compared_with_itself_and_comes_from_the_cache(tmp_path: Path) -> None:
    run(tmp_path, "a")
    baseline, ended = run(tmp_path, "a")
    assert baseline == "none"
    assert set(ended.values()) == {State.CACHED}


def test_a_new_model_is_compared_with_the_newest_blessed_one(tmp_path: Path) -> None:
    run(tmp_path, "a")
    run(tmp_path, "b")
    run(tmp_path, "c", verdict=0)
    assert run(tmp_path, "d")[0] == "a model of b"


def test_the_last_verdict_on_a_model_counts(tmp_path: Path) -> None:
    run(tmp_path, "a", second_verdict=1)
    run(tmp_path, "b", second_verdict=0)
    assert run(tmp_path, "c")[0] == "a model of a"


def test_a_model_that_was_deleted_is_passed_over(tmp_path: Path) -> None:
    run(tmp_path, "a")
    run(tmp_path, "b")
    newest = max((tmp_path / "artifacts" / "Train" / "model").iterdir(), key=lambda path: int(path.name))
    newest.rename(tmp_path / "moved")
    assert run(tmp_path, "c")[0] == "a model of a"


def test_a_model_of_another_task_is_passed_over(tmp_path: Path) -> None:
    run(tmp_path, "a")
    assert run(tmp_path, "b", task="text_classification")[0] == "none"
