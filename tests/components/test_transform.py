"""The data part of the line as a whole: real TFX, real runner, from files to token ids."""

import json
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_transform as tft
from ml_metadata.proto import metadata_store_pb2
from tensorflow_data_validation.utils.anomalies_util import load_anomalies_binary
from tfx import v1 as tfx
from tfx.orchestration import metadata

from components.data_gate import DataGate
from components.errors import DataError
from components.example_gen.component import ExampleGen
from components.example_gen.fingerprint import data_fingerprint
from components.example_gen.settings import DataSettings
from components.features import features_json
from components.gazetteers import gazetteers_json
from components.tokenizer_trainer import TokenizerTrainer
from components.transform import Transform
from models.registry import TASKS
from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.vocabularies import Vocabularies
from tests.components.example_gen.files import write

BEAM_ARGUMENTS = [
    "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner",
    # Any value spares TFX from packing its own source for remote workers at each Beam stage: 3 s a stage.
    "--sdk_container_image=in_process",
]

OPINIONS = {"pos": ("a fine film", "warm and funny"), "neg": ("a dull film", "cold and long")}


class Line:
    """Runs the stages up to Transform in one folder and reads what they left."""

    def __init__(self, root: Path, task: str):
        self.root, self.task = root, task
        self.database = metadata.sqlite_metadata_connection_config(str(root / "metadata.sqlite"))

    def run(self, data: DataSettings, tokenizer: TokenizerSettings, code_hash: str = "1") -> None:
        data_json, features = data.model_dump_json(), features_json(TASKS[self.task].features)
        example_gen = ExampleGen(settings_json=data_json, features=features, fingerprint=data_fingerprint(data))
        examples = example_gen.outputs["examples"]
        statistics_gen = tfx.components.StatisticsGen(examples=examples)
        statistics = statistics_gen.outputs["statistics"]
        schema_gen = tfx.components.SchemaGen(statistics=statistics, exclude_splits=["eval", "test"])
        schema = schema_gen.outputs["schema"]
        validator = tfx.components.ExampleValidator(statistics=statistics, schema=schema)
        gate = DataGate(
            anomalies=validator.outputs["anomalies"],
            statistics=statistics,
            features=features,
            settings_json=data_json,
            examples=examples,
        )
        trainer = TokenizerTrainer(
            examples=examples,
            features=features,
            settings_json=tokenizer.model_dump_json(),
            gazetteers=gazetteers_json({}),
        )
        trainer.add_upstream_node(gate)
        transform = Transform(
            examples=examples,
            schema=schema,
            vocabulary=trainer.outputs["vocabulary"],
            task=self.task,
        )
        transform.spec.exec_properties["code_hash"] = code_hash
        pipeline = tfx.dsl.Pipeline(
            pipeline_name="line",
            pipeline_root=str(self.root / "artifacts"),
            components=[example_gen, statistics_gen, schema_gen, validator, gate, trainer, transform],
            enable_cache=True,
            metadata_connection_config=self.database,
            beam_pipeline_args=BEAM_ARGUMENTS,
        )
        tfx.orchestration.LocalDagRunner().run(pipeline)

    def output(self, stage: str, name: str) -> Path:
        """Folder of the latest artifact."""
        return max((self.root / "artifacts" / stage / name).iterdir(), key=lambda folder: int(folder.name))

    def states(self) -> dict[str, list[str]]:
        """Per stage, the state of each execution."""
        names = metadata_store_pb2.Execution.State
        with metadata.Metadata(self.database) as handle:
            types = {kind.id: kind.name for kind in handle.store.get_execution_types()}
            found: dict[str, list[str]] = {}
            for execution in sorted(handle.store.get_executions(), key=lambda execution: execution.id):
                stage = types[execution.type_id].rsplit(".", 1)[-1]
                found.setdefault(stage, []).append(names.Name(execution.last_known_state))
            return found

    def live_artifacts(self) -> list[str]:
        with metadata.Metadata(self.database) as handle:
            live = metadata_store_pb2.Artifact.State.LIVE
            return [artifact.type for artifact in handle.store.get_artifacts() if artifact.state == live]

    def transformed(self, split: str) -> list[dict[str, list[int]]]:
        files = (self.output("Transform", "transformed_examples") / f"Split-{split}").iterdir()
        dataset = tf.data.TFRecordDataset([str(file) for file in files], compression_type="GZIP")
        examples = [tf.train.Example.FromString(serialized.numpy()) for serialized in dataset]
        return [
            {name: list(feature.int64_list.value) for name, feature in example.features.feature.items()}
            for example in examples
        ]


def opinions(size: int) -> str:
    """A table with few enough different texts that SchemaGen takes them for a closed set."""
    rows = [
        f"{label}\t{texts[number % 2]} {number % 16}\n"
        for number in range(size // 2)
        for label, texts in OPINIONS.items()
    ]
    return "label\ttext\n" + "".join(rows)


@pytest.fixture(scope="module")
def classification(tmp_path_factory) -> tuple[Line, DataSettings, TokenizerSettings]:
    root = tmp_path_factory.mktemp("classification")
    data = DataSettings(
        train=write(root / "train.tsv", opinions(240)),
        eval=write(root / "eval.tsv", opinions(60).replace("film", "picture")),
        test=write(root / "test.tsv", opinions(20)),
    )
    line = Line(root, "text_classification")
    tokenizer = TokenizerSettings(unit="word", vocabulary_size=30)
    line.run(data, tokenizer)
    return line, data, tokenizer


@pytest.fixture(scope="module")
def dates(tmp_path_factory) -> Line:
    line = Line(tmp_path_factory.mktemp("dates"), "text_to_text")
    line.run(DataSettings(source="sample:dates", sample_size=300), TokenizerSettings(unit="character", shared=True))
    return line


def test_every_stage_leaves_its_output(classification):
    line = classification[0]
    assert {state for states in line.states().values() for state in states} == {"COMPLETE"}
    counts = json.loads((line.output("ExampleGen", "examples") / "counts.json").read_text())
    assert counts["splits"] == {"train": 240, "eval": 60, "test": 20}
    report = json.loads((line.output("DataGate", "report") / "report.json").read_text())
    assert report["examples"] == {"train": 240, "eval": 60, "test": 20}


def test_new_texts_in_the_eval_split_pass_the_gate(classification):
    """ExampleValidator calls them anomalies, because the schema of so small a train split lists every text."""
    anomalies = load_anomalies_binary(
        str(classification[0].output("ExampleValidator", "anomalies") / "Split-eval/SchemaDiff.pb")
    )
    assert list(anomalies.anomaly_info) == ["text"]


def test_counts_are_properties_of_the_artifact(classification):
    with metadata.Metadata(classification[0].database) as handle:
        (artifact,) = [
            found for found in handle.store.get_artifacts_by_type("Examples") if "kept" in found.custom_properties
        ]
    properties = {name: artifact.custom_properties[name].int_value for name in ("read", "kept", "refused", "kept_test")}
    assert properties == {"read": 320, "kept": 320, "refused": 0, "kept_test": 20}


def test_transformed_examples_are_the_token_ids_of_the_raw_text(classification):
    line = classification[0]
    train, eval_ = line.transformed("train"), line.transformed("eval")
    assert (len(train), len(eval_)) == (240, 60)
    vocabularies = Vocabularies.load(str(line.output("TokenizerTrainer", "vocabulary")))
    expected = vocabularies.tokenizer("text").tokenize(tf.constant(["a fine film 0"])).to_list()[0]
    pos = vocabularies.labels.index("pos")
    assert vocabularies.labels == ["neg", "pos"]
    assert {"token_ids": expected, "label_id": [pos], "text_num_tokens": [len(expected)]} in train
    assert sorted(example["label_id"][0] for example in eval_) == [0] * 30 + [1] * 30


def test_words_of_the_eval_split_are_not_learned(classification):
    vocabularies = Vocabularies.load(str(classification[0].output("TokenizerTrainer", "vocabulary")))
    assert "film" in "".join(vocabularies.pieces["text"])
    assert "picture" not in "".join(vocabularies.pieces["text"])


def test_the_graph_lies_beside_its_vocabularies(classification):
    line = classification[0]
    graph = line.output("Transform", "transform_graph")
    copied = Vocabularies.load(str(graph / "vocabularies"))
    assert copied == Vocabularies.load(str(line.output("TokenizerTrainer", "vocabulary")))
    layer = tft.TFTransformOutput(str(graph)).transform_features_layer()
    token_ids = layer({"text": tf.constant([["a dull film 7"]]), "label": tf.constant([["neg"]])})["token_ids"]
    assert token_ids.values.numpy().tolist() == copied.tokenizer("text").tokenize(["a dull film 7"]).to_list()[0]


def test_character_pairs_survive_the_way(dates):
    vocabularies = Vocabularies.load(str(dates.output("Transform", "transform_graph") / "vocabularies"))
    assert vocabularies.pieces["source"] == vocabularies.pieces["target"]
    (eval_, *_) = dates.transformed("eval")
    target = vocabularies.tokenizer("target").detokenize(tf.ragged.constant([eval_["target_token_ids"]], tf.int32))
    assert len(target.numpy()[0]) == len("2014-03-01")


# Runs change the line's metadata: these stand last, in this order.


def test_a_second_run_comes_from_the_cache(classification):
    line, data, tokenizer = classification
    line.run(data, tokenizer)
    assert {stage: states[1:] for stage, states in line.states().items()} == {
        stage: ["CACHED"] for stage in line.states()
    }


def test_edited_code_misses_the_cache(classification):
    line, data, tokenizer = classification
    line.run(data, tokenizer, code_hash="2")
    last = {stage: states[-1] for stage, states in line.states().items()}
    assert {stage for stage, state in last.items() if state != "CACHED"} == {"Transform"}


def test_changed_data_miss_the_cache_and_a_new_label_stops_at_once(classification):
    line, data, tokenizer = classification
    before = line.live_artifacts()
    write(Path(data.eval), opinions(60).replace("neg\t", "negg\t", 1))
    with pytest.raises(DataError, match='label "negg" of the eval split .* Did you mean "neg"'):
        line.run(data, tokenizer)
    assert line.states()["ExampleGen"][-1] == "FAILED"
    assert line.live_artifacts() == before


def test_a_broken_record_stops_the_run_and_leaves_nothing(tmp_path):
    data = DataSettings(
        train=write(tmp_path / "train.tsv", opinions(100) + "neg\n"), eval=write(tmp_path / "eval.tsv", opinions(20))
    )
    line = Line(tmp_path, "text_classification")
    with pytest.raises(DataError, match="train.tsv:102: 1 fields where the header has 2") as caught:
        line.run(data, TokenizerSettings())
    assert type(caught.value) is DataError
    assert line.states() == {"ExampleGen": ["FAILED"]}
    assert line.live_artifacts() == []
    assert [path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()] == []
