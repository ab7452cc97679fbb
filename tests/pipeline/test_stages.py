import dataclasses
import functools
import shutil
from pathlib import Path

import pytest
from tfx import v1 as tfx
from tfx.dsl.components.common import resolver

from components.errors import EvaluationError
from models.description import ModelDescription
from models.features import Feature
from models.registry import TASKS
from pipeline import stages
from pipeline.config.config import Config, load
from pipeline.orchestrators import compiled as compiled_module
from pipeline.orchestrators.baseline import PreviousBlessedModel, latest_blessed_model
from pipeline.orchestrators.code_hash import SOURCE, hash_modules
from pipeline.orchestrators.compiled import compile_pipeline, stage_ids
from pipeline.stages import build_pipeline

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
    compiled = compile_pipeline(build_pipeline(dates_config), "1")
    assert stage_ids(compiled) == LINE
    assert "LatestBlessedModel" in [node.pipeline_node.node_info.id for node in compiled.nodes]


def test_building_writes_nothing(dates_config: Config, tmp_path: Path) -> None:
    build_pipeline(dates_config)
    assert not (tmp_path / "outputs").exists()


def test_all_paths_are_absolute(tmp_path: Path, dates_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    compiled = compile_pipeline(build_pipeline(load(dates_file, ["output_dir=here"])), "1")
    assert compiled.runtime_spec.pipeline_root.field_value.string_value == str(tmp_path / "here" / "artifacts")


def test_beam_downloads_no_runner(dates_config: Config) -> None:
    arguments = build_pipeline(dates_config).beam_pipeline_args
    assert "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner" in arguments


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of our source, to edit: digests of code are taken of it."""
    copy = tmp_path / "source"
    for room in ("models", "components", "serving", "pipeline"):
        shutil.copytree(SOURCE / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    for module in (stages, compiled_module):
        monkeypatch.setattr(module, "hash_modules", functools.partial(hash_modules, source=copy))
    return copy


def keys(config: Config) -> dict[str, dict[str, str]]:
    """What TFX's cache looks at besides the inputs, by stage."""
    compiled = compile_pipeline(build_pipeline(config), "1")
    return {
        node.node_info.id: {name: value.field_value.string_value for name, value in node.parameters.parameters.items()}
        for node in compiled_module.pipeline_nodes(compiled)
    }


def changed(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> set[str]:
    return {stage for stage in before if before[stage] != after[stage]}


def edit(file: Path) -> None:
    file.write_text(file.read_text() + "\n# A comment.\n")


@pytest.mark.parametrize(
    ("file", "runs_again"),
    [
        # Nothing: so a killed training finds its checkpoint, which is named after the Trainer's settings and code.
        ("models/architectures/wavenet.py", set()),
        ("models/architectures/settings/wavenet.py", set()),
        ("models/tasks/text_classification.py", set()),
        ("components/review/clips/review.py", set()),
        ("models/registry.py", set()),
        ("models/architectures/seq2seq.py", {"Trainer"}),
        ("models/layers/attention.py", {"Trainer"}),
        ("models/training.py", {"Trainer"}),
        ("models/tasks/text_to_text.py", {"Transform", "Trainer"}),
        ("components/preprocessing.py", {"Transform"}),
        ("components/example_gen/readers/jsonl.py", set()),
        ("components/example_gen/sample_dates.py", {"ExampleGen"}),
        ("models/tokenizers/wordpiece.py", {"TokenizerTrainer", "Transform", "Trainer"}),
        ("components/evaluation/metrics/corpus_score.py", {"ModelEvaluator"}),
        ("serving/core/batching.py", {"ServingValidator"}),
        ("serving/rest/openapi.json", {"ServingValidator"}),
    ],
)
def test_an_edit_runs_the_stages_again_that_use_the_code(
    dates_config: Config, source: Path, file: str, runs_again: set[str]
) -> None:
    before = keys(dates_config)
    edit(source / file)
    assert changed(before, keys(dates_config)) == runs_again


def test_a_new_feature_of_a_task_runs_the_stages_again_that_see_raw_examples(
    dates_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pairs.tsv").write_text("source\ttarget\tstyle\na\tb\tplain\n", encoding="utf-8")
    config = load(dates_file, [f"data={{path: {tmp_path}/pairs.tsv}}"])
    before, task = keys(config), TASKS["text_to_text"]
    more = dataclasses.replace(task, features=(*task.features, Feature("style", "label", optional=True)))
    monkeypatch.setitem(TASKS, "text_to_text", more)
    assert changed(before, keys(config)) == {
        "ExampleGen",
        "DataGate",
        "TokenizerTrainer",
        "Trainer",
        # Its metrics are sliced by every label.
        "ModelEvaluator",
    }


def test_an_edit_of_the_reader_in_use_reads_anew(dates_file: Path, tmp_path: Path, source: Path) -> None:
    (tmp_path / "pairs.tsv").write_text("source\ttarget\na\tb\n", encoding="utf-8")
    config = load(dates_file, [f"data={{path: {tmp_path}/pairs.tsv}}"])
    before = keys(config)
    edit(source / "components/example_gen/sample_dates.py")
    assert changed(before, keys(config)) == set()
    edit(source / "components/example_gen/readers/delimited.py")
    assert changed(before, keys(config)) == {"ExampleGen"}


def test_a_review_is_made_anew_where_the_task_groups_by_another_label(
    digits_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load(digits_file)
    before, task = keys(config), TASKS["audio_generation"]
    other = dataclasses.replace(task, judging=dataclasses.replace(task.judging, label_key="speaker"))
    monkeypatch.setitem(TASKS, "audio_generation", other)
    assert changed(before, keys(config)) == {"ModelEvaluator", "Review"}


def test_an_orchestrator_may_ask_for_the_baseline_that_it_can_compile(dates_config: Config) -> None:
    def strategy(pipeline: tfx.dsl.Pipeline) -> type:
        [node] = [node for node in pipeline.components if node.id == "LatestBlessedModel"]
        return node.exec_properties[resolver.RESOLVER_STRATEGY_CLASS]

    # The only strategies besides LatestArtifactStrategy that TFX's compiler for Kubeflow Pipelines takes.
    assert strategy(build_pipeline(dates_config, latest_blessed_model)) is (
        tfx.dsl.experimental.LatestBlessedModelStrategy
    )
    assert strategy(build_pipeline(dates_config)) is PreviousBlessedModel


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
    compiled = compile_pipeline(build_pipeline(load(digits_file)), "1")
    assert stage_ids(compiled) == [*LINE[:9], "Review", *LINE[9:]]
    [push] = [one.pipeline_node for one in compiled.nodes if one.pipeline_node.node_info.id == "Pusher"]
    [channel] = push.inputs.inputs["model_blessing"].channels
    assert channel.producer_node_query.id == "Review"
    silent = compile_pipeline(build_pipeline(load(digits_file, ["clips.per_label=0"])), "1")
    assert stage_ids(silent) == LINE


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
        compiled = compile_pipeline(build_pipeline(config), "1")
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


def test_the_cache_notices_an_edited_page(digits_file: Path, source: Path) -> None:
    config = load(digits_file)
    before = keys(config)
    edit(source / "components/review/templates/page.html.j2")
    assert changed(before, keys(config)) == {"Review"}
