from pathlib import Path

from pipeline.orchestrators import local, plan
from pipeline.orchestrators.compiled import compile_pipeline
from tests.pipeline import tiny_stages


def planned(root: Path, text: str = "words", still_true: dict | None = None) -> dict[str, bool]:
    components = tiny_stages.load_and_train(root, text)
    compiled = compile_pipeline(tiny_stages.pipeline_of(root, components), "plan")
    return plan.plan(compiled, still_true or {})


def run(root: Path, run_id: str) -> None:
    compiled = compile_pipeline(tiny_stages.pipeline_of(root, tiny_stages.load_and_train(root)), run_id)
    local.run(compiled, lambda event: None, {})


def snapshot(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_before_the_first_run_everything_would_run_and_nothing_is_written(tmp_path: Path) -> None:
    assert planned(tmp_path) == {"Load": True, "Train": True}
    assert list(tmp_path.iterdir()) == []


def test_after_a_run_everything_is_cached_and_nothing_is_written(tmp_path: Path) -> None:
    run(tmp_path, "1")
    before = snapshot(tmp_path)
    assert planned(tmp_path) == {"Load": False, "Train": False}
    assert snapshot(tmp_path) == before


def test_a_change_runs_its_stage_and_those_below(tmp_path: Path) -> None:
    run(tmp_path, "1")
    assert planned(tmp_path, text="others") == {"Load": True, "Train": True}
    assert planned(tmp_path, still_true={"Train": lambda outputs: False}) == {"Load": False, "Train": True}


def test_the_plan_comes_true(tmp_path: Path) -> None:
    run(tmp_path, "1")
    run(tmp_path, "2")
    assert planned(tmp_path) == {"Load": False, "Train": False}


def test_a_lost_artifact_would_be_made_again(tmp_path: Path) -> None:
    run(tmp_path, "1")
    [model] = (tmp_path / "artifacts" / "Train" / "model").iterdir()
    model.rename(tmp_path / "elsewhere")
    assert planned(tmp_path) == {"Load": False, "Train": True}
