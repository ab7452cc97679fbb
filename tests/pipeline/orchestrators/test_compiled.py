import json
from pathlib import Path

import pytest
from google.protobuf import json_format
from tfx.proto.orchestration import pipeline_pb2

from pipeline.history.runs import read_runs
from pipeline.orchestrators import compiled as compiled_module
from pipeline.orchestrators import local, plan
from pipeline.orchestrators.baseline import previous_blessed_model
from pipeline.orchestrators.compiled import annotate, compile_pipeline, upstream_stages
from tests.pipeline import tiny_stages


def compiled(root: Path, run_id: str = "a-run") -> pipeline_pb2.Pipeline:
    return compile_pipeline(tiny_stages.pipeline_of(root, tiny_stages.load_and_train(root)), run_id)


def run(pipeline: pipeline_pb2.Pipeline) -> None:
    local.run(pipeline, lambda event: None, {})


def test_the_code_of_our_own_executors_is_part_of_the_cache_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The rooms are a constant of the product; here the tests count as one, since the tiny stages live there.
    monkeypatch.setattr(compiled_module, "ROOMS", ("tests",))
    run(compiled(tmp_path, "1"))
    assert plan.plan(compiled(tmp_path, "2"), {}) == {"Load": False, "Train": False}
    monkeypatch.setattr(compiled_module, "hash_modules", lambda module: "edited")
    assert plan.plan(compiled(tmp_path, "3"), {}) == {"Load": True, "Train": True}


def test_notes_and_stages_stand_in_ml_metadata(tmp_path: Path) -> None:
    pipeline = compiled(tmp_path)
    annotate(pipeline, {"seqline_name": "dates", "seqline_config_hash": "abc", "seqline_stages": '["Load"]'})
    run(pipeline)
    [told] = read_runs(tmp_path / "metadata.sqlite")
    assert (told.run_id, told.name, told.config_hash, told.state) == ("a-run", "dates", "abc", "done")
    assert told.stages == {"Load": "done", "Train": "done"}


def test_stages_wait_for_those_before_them_through_resolvers(tmp_path: Path) -> None:
    load, train = tiny_stages.load_and_train(tmp_path)
    baseline = previous_blessed_model("text_to_text", train)
    compare = tiny_stages.Compare(model=train.outputs["model"], baseline=baseline.outputs["model"])
    alone = tiny_stages.Load(text="b").with_id("Alone")
    judge = tiny_stages.Judge(model=baseline.outputs["model"], verdict=1)
    judge.add_upstream_node(alone)
    pipeline = compile_pipeline(tiny_stages.pipeline_of(tmp_path, [load, train, baseline, compare, alone, judge]), "1")
    assert upstream_stages(pipeline) == {
        "Load": [],
        "Train": ["Load"],
        "Compare": ["Train"],
        "Alone": [],
        "Judge": ["Alone", "Train"],
    }


def test_a_compiled_pipeline_survives_json(tmp_path: Path) -> None:
    pipeline = compiled(tmp_path)
    text = json.dumps(json_format.MessageToDict(pipeline))
    read = json_format.ParseDict(json.loads(text), pipeline_pb2.Pipeline())
    # Not the messages themselves: an Any holds bytes, in which a map may stand in any order.
    assert json_format.MessageToDict(read) == json_format.MessageToDict(pipeline)
