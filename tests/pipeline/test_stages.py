from pathlib import Path

import pytest
from tfx.types.standard_artifacts import PushedModel

from components.errors import EvaluationError
from models.description import ModelDescription
from pipeline.config.config import Config, load
from pipeline.orchestrators import local
from pipeline.orchestrators.code_hash import hash_room
from pipeline.stages import build_pipeline, is_push_current

LINE = [
    "ExampleGen",
    "StatisticsGen",
    "SchemaGen",
    "ExampleValidator",
    "DataGate",
    "TokenizerTrainer",
    "Transform",
    "Trainer",
    "ModelEvaluator",
    "ServingValidator",
    "Pusher",
]


def test_the_stages_run_in_the_order_in_which_they_are_described(dates_config: Config) -> None:
    compiled = local.compile_pipeline(build_pipeline(dates_config), "1")
    assert local.stage_ids(compiled) == LINE
    assert "LatestBlessedModel" in [node.pipeline_node.node_info.id for node in compiled.nodes]


def test_building_writes_nothing(dates_config: Config, tmp_path: Path) -> None:
    build_pipeline(dates_config)
    assert not (tmp_path / "outputs").exists()


def test_all_paths_are_absolute(tmp_path: Path, dates_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    compiled = local.compile_pipeline(build_pipeline(load(dates_file, ["output_dir=here"])), "1")
    assert compiled.runtime_spec.pipeline_root.field_value.string_value == str(tmp_path / "here" / "artifacts")


def test_beam_downloads_no_runner(dates_config: Config) -> None:
    arguments = build_pipeline(dates_config).beam_pipeline_args
    assert "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner" in arguments


def pushed(version: Path | None) -> dict[str, list]:
    artifact = PushedModel()
    artifact.set_int_custom_property("pushed", int(version is not None))
    if version is not None:
        artifact.set_string_custom_property("pushed_destination", str(version))
    return {"pushed_model": [artifact]}


def test_a_cached_push_holds_only_while_its_version_is_the_newest(tmp_path: Path) -> None:
    (tmp_path / "9").mkdir()
    assert is_push_current(pushed(tmp_path / "9"))
    (tmp_path / ".incoming-11").mkdir()
    assert is_push_current(pushed(tmp_path / "9"))
    (tmp_path / "10").mkdir()
    assert not is_push_current(pushed(tmp_path / "9"))
    assert is_push_current(pushed(tmp_path / "10"))


def test_a_cached_push_whose_folder_is_gone_does_not_hold(tmp_path: Path) -> None:
    assert not is_push_current(pushed(tmp_path / "9"))


def test_a_model_that_was_not_pushed_stays_so() -> None:
    assert is_push_current(pushed(None))


def cache_key(config: Config, stage: str) -> dict[str, str]:
    compiled = local.compile_pipeline(build_pipeline(config), "1")
    [node] = [one.pipeline_node for one in compiled.nodes if one.pipeline_node.node_info.id == stage]
    return {name: value.field_value.string_value for name, value in node.parameters.parameters.items()}


@pytest.mark.parametrize(("stage", "room"), [("TokenizerTrainer", "models"), ("ServingValidator", "serving")])
def test_the_cache_notices_edited_code_that_a_stage_calls(dates_config: Config, stage: str, room: str) -> None:
    key = cache_key(dates_config, stage)
    assert key["code_hash"] == hash_room(room)
    assert key["executor_code_hash"] != key["code_hash"]


DIGITS = """\
name: digits
task: audio_generation
data: {path: "WAVS/*.wav", label_pattern: "(?P<label>[a-z]+)_", split: {train: 1, eval: 1}}
audio: {sample_rate: 1000}
model: {architecture: wavenet, dilation_depth: 3, num_stacks: 1, condition_on: [label]}
"""


@pytest.fixture
def digits_file(tmp_path: Path) -> Path:
    (tmp_path / "high_1.wav").write_bytes(b"")
    path = tmp_path / "digits.yaml"
    path.write_text(f"{DIGITS}output_dir: {tmp_path}/outputs\n".replace("WAVS", str(tmp_path)), encoding="utf-8")
    return path


def test_a_model_that_speaks_is_heard_before_it_is_served(digits_file: Path) -> None:
    compiled = local.compile_pipeline(build_pipeline(load(digits_file)), "1")
    assert local.stage_ids(compiled) == [*LINE[:9], "Review", *LINE[9:]]
    [push] = [one.pipeline_node for one in compiled.nodes if one.pipeline_node.node_info.id == "Pusher"]
    [channel] = push.inputs.inputs["model_blessing"].channels
    assert channel.producer_node_query.id == "Review"
    silent = local.compile_pipeline(build_pipeline(load(digits_file, ["clips.per_label=0"])), "1")
    assert local.stage_ids(silent) == LINE


def test_a_recognizer_that_is_not_there_is_told_before_the_first_stage(digits_file: Path, tmp_path: Path) -> None:
    config = load(digits_file, [f"clips.recognizer={tmp_path}/no"])
    with pytest.raises(
        EvaluationError, match="^clips.recognizer must be the folder of a pushed model .* does not exist"
    ):
        build_pipeline(config)


def test_the_cache_notices_another_recognizer(digits_file: Path, tmp_path: Path) -> None:
    version = tmp_path / "ears" / "3"
    described = {"name": "ears", "task": "audio_classification", "architecture": "gated_conv"}
    version.mkdir(parents=True)
    ModelDescription.model_validate({**described, "settings": {"audio": {"sample_rate": 1000}}}).write(version)
    config = load(digits_file, [f"clips.recognizer={tmp_path}/ears"])

    def imported() -> tuple[str, dict[str, str]]:
        compiled = local.compile_pipeline(build_pipeline(config), "1")
        nodes = {one.pipeline_node.node_info.id: one.pipeline_node for one in compiled.nodes}
        [channel] = nodes["Review"].inputs.inputs["recognizer"].channels
        recognizer = nodes[channel.producer_node_query.id]
        spec = recognizer.outputs.outputs[channel.output_key].artifact_spec
        properties = {name: one.field_value.string_value for name, one in spec.additional_custom_properties.items()}
        return recognizer.parameters.parameters["artifact_uri"].field_value.string_value, properties

    uri, properties = imported()
    assert (uri, properties["name"], properties["task"]) == (str(version), "ears", "audio_classification")
    (version / "saved_model.pb").write_bytes(b"trained anew")
    assert imported()[1]["fingerprint"] != properties["fingerprint"]
