"""Request logs beside the data of a run, and the page of it."""

import functools
import json
import random
import tempfile
from pathlib import Path

import ml_metadata
import pytest
import tensorflow as tf
from ml_metadata.proto import metadata_store_pb2
from playwright.sync_api import Browser
from tensorflow_serving.apis import prediction_log_pb2

from components.example_gen.executor import encode
from components.example_gen.records import Record
from models.registry import TASKS
from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.vocabularies import Vocabularies, learn_vocabulary
from pipeline.config.config import Config
from pipeline.drift.traffic import DriftError, Traffic, _logs, read_traffic
from pipeline.drift.write import write_drift
from pipeline.history import runs
from serving.core.metrics import Metrics
from serving.core.request_log import RequestLog
from serving.settings import RequestLogSettings
from tests.pipeline.report.pages import looks_well, open_page

WORDS = "film story actor plot music scene good bad".split()
TASK = TASKS["text_classification"]


def texts(number: int, words: list[str], length: int = 5) -> list[str]:
    rng = random.Random(number)
    return [" ".join(rng.choices(words, k=length)) for _ in range(number)]


def logged(folder: Path, asked: list[str], label: bytes = b"pos") -> Path:
    """A log as the server writes it, five texts a request."""
    log = RequestLog(RequestLogSettings(folder=str(folder), sampling_rate=1.0), Metrics())
    for start in range(0, len(asked), 5):
        rows = [text.encode() for text in asked[start : start + 5]]
        made = prediction_log_pb2.PredictionLog()
        request, response = made.predict_log.request, made.predict_log.response
        request.inputs["text"].CopyFrom(tf.make_tensor_proto(rows))
        response.outputs["label"].CopyFrom(tf.make_tensor_proto([label] * len(rows)))
        response.outputs["scores"].CopyFrom(tf.make_tensor_proto([[0.25, 0.75]] * len(rows)))
        log.offer("films", functools.partial(_same, made))
    log.close()
    return folder / "films"


def _same(made: prediction_log_pb2.PredictionLog) -> prediction_log_pb2.PredictionLog:
    return made


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Of an output folder in which ML Metadata knows of a run that pushed a model."""
    root = tmp_path_factory.mktemp("out")
    settings = TokenizerSettings(unit="word", vocabulary_size=100)
    trained = texts(400, WORDS)
    (root / "examples" / "Split-train").mkdir(parents=True)
    with tf.io.TFRecordWriter(str(root / "examples" / "Split-train" / "data.gz"), "GZIP") as writer:
        for number, text in enumerate(trained):
            writer.write(encode(Record({"text": text, "label": "pos" if number % 2 else "neg"}, "x", number)))
    counts = {f"▁{word}" if word else word: 9 for word in WORDS}
    Vocabularies(settings, {"text": learn_vocabulary(counts, settings)}, {"label": ["neg", "pos"]}).save(
        str(root / "vocabulary")
    )
    made = {
        "name": "films",
        "task": "text_classification",
        "output_dir": str(root),
        "data": {"path": "films.tsv"},
        "model": {"architecture": "recurrent"},
        "drift": {"min_texts": 20},
    }
    _note_run(root, Config.model_validate(made))
    return Config.model_validate(made)


def _note_run(root: Path, config: Config) -> None:
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(root / "metadata.sqlite")
    connection.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    store = ml_metadata.MetadataStore(connection)
    kinds = metadata_store_pb2
    context = kinds.Context(type_id=store.put_context_type(kinds.ContextType(name=runs.RUN_CONTEXT)), name="first")
    notes = {runs.NOTE_NAME: "films", runs.NOTE_SETTINGS: config.model_dump_json(exclude_unset=True)}
    for name, value in notes.items():
        context.custom_properties[name].string_value = value
    [context_id] = store.put_contexts([context])
    execution = kinds.Execution(
        type_id=store.put_execution_type(kinds.ExecutionType(name="All")), last_known_state=kinds.Execution.COMPLETE
    )
    [execution_id] = store.put_executions([execution])
    outputs = {"examples": "Examples", "vocabulary": "Vocabulary", "pushed_model": "PushedModel"}
    for output, kind in outputs.items():
        artifact = kinds.Artifact(
            type_id=store.put_artifact_type(kinds.ArtifactType(name=kind)),
            uri=str(root / output),
            state=kinds.Artifact.LIVE,
        )
        if output == "pushed_model":
            artifact.custom_properties["pushed"].int_value = 1
            artifact.custom_properties["pushed_version"].string_value = "7"
        [artifact_id] = store.put_artifacts([artifact])
        event = kinds.Event(artifact_id=artifact_id, execution_id=execution_id, type=kinds.Event.OUTPUT)
        event.path.steps.add(key=output)
        store.put_events([event])
    store.put_attributions_and_associations([], [kinds.Association(execution_id=execution_id, context_id=context_id)])


def test_traffic_of_the_same_kind_has_not_drifted(config: Config, tmp_path: Path, browser: Browser) -> None:
    found = write_drift(config, [logged(tmp_path, texts(100, WORDS))])
    assert found.sentences == []
    looks_well(browser, found.page)
    page = open_page(browser, found.page)
    assert "20 logged requests" in page.locator("#verdict").inner_text()
    assert "nothing has drifted" in page.locator("#verdict").inner_text()
    page.close()


def test_other_words_scripts_and_lengths_are_told(config: Config, tmp_path: Path) -> None:
    found = write_drift(config, [logged(tmp_path, texts(100, ["film", "история"], 12))])
    assert [sentence.split(":")[0] for sentence in found.sentences] == [
        "text, lengths",
        "text, scripts",
        "text, tokens",
        "text, unknown",
    ]
    assert "9-16" in found.sentences[0] and "CYRILLIC" in found.sentences[1] and "[UNK]" in found.sentences[2]
    told = json.loads((found.page.parent / "report.json").read_text("utf-8"))
    assert told["metrics"]["text/lengths"] == pytest.approx(1.0)


def test_a_few_texts_are_no_drift(config: Config, tmp_path: Path) -> None:
    found = write_drift(config, [logged(tmp_path, texts(10, ["история"], 12))])
    assert found.sentences == []
    assert "Of 10 texts nothing is concluded" in found.page.read_text("utf-8")


def test_a_log_is_read_with_its_answers_and_up_to_where_it_breaks(tmp_path: Path) -> None:
    folder = logged(tmp_path, texts(20, WORDS))
    [file] = folder.glob("*.tfrecord")
    whole = read_traffic([folder], TASK)
    assert (whole.requests, len(whole.texts["text"]), whole.answers) == (4, 20, ["pos"] * 20)
    assert whole.scores == [0.75] * 20 and whole.begin and whole.damaged == []
    file.write_bytes(file.read_bytes()[:-7])
    cut = read_traffic([file], TASK)
    assert (cut.requests, cut.damaged) == (3, [str(file)])


def test_classify_requests_and_whole_examples_count_too(tmp_path: Path) -> None:
    example = tf.train.Example.FromString(encode(Record({"text": "good film"}, "x", 1)))
    log = prediction_log_pb2.PredictionLog()
    log.classify_log.request.input.example_list.examples.append(example)
    result = log.classify_log.response.result.classifications.add()
    for label, score in (("neg", 0.25), ("pos", 0.75)):
        result.classes.add(label=label, score=score)
    whole = prediction_log_pb2.PredictionLog()
    whole.predict_log.request.inputs["examples"].CopyFrom(tf.make_tensor_proto([example.SerializeToString()]))
    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as writer:
        for one in (log, whole):
            writer.write(one.SerializeToString())
    traffic = read_traffic([tmp_path / "a.tfrecord"], TASK)
    assert traffic.texts == {"text": ["good film", "good film"]}
    assert (traffic.answers, traffic.scores) == (["pos"], [0.75])


def predicted(task: str, inputs: dict, outputs: dict, version: int = 0) -> Traffic:
    """What is seen of one request."""
    log = prediction_log_pb2.PredictionLog()
    for name, value in inputs.items():
        log.predict_log.request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    for name, value in outputs.items():
        log.predict_log.response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
    log.predict_log.response.model_spec.version.value = version
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.tfrecord.partial"
        with tf.io.TFRecordWriter(str(file)) as writer:
            writer.write(log.SerializeToString())
        return read_traffic([Path(folder)], TASKS[task], "7")


def test_of_beams_the_best_stands_where_a_text_does() -> None:
    seen = predicted(
        "text_to_text", {"source": ["ein Haus"]}, {"target": [["a house", "one house"]], "score": [[-1.0, -2]]}
    )
    assert seen.texts == {"source": ["ein Haus"], "target": ["a house"]}
    assert seen.scores == [-1.0]


def test_a_prompt_is_the_beginning_of_a_text() -> None:
    seen = predicted("language_modeling", {"prompt": ["To be"]}, {"text": [" or not"]})
    assert (seen.texts, seen.in_parts) == ({"text": ["To be"]}, {"text"})


def test_tokens_are_asked_as_one_text() -> None:
    seen = predicted("sequence_labeling", {"text": ["in Rome"]}, {"tokens": [["in", "Rome"]], "tags": [["O", "B-x"]]})
    assert (seen.texts, seen.in_parts, seen.answers) == ({"tokens": ["in Rome"]}, {"tokens"}, [])


def test_answers_of_other_versions_are_left_out() -> None:
    for version, answers in ((7, ["pos"]), (8, [])):
        seen = predicted("text_classification", {"text": ["good"]}, {"label": ["pos"]}, version)
        assert (seen.texts["text"], seen.answers, seen.other_versions) == (["good"], answers, int(version == 8))


def test_a_log_that_is_completed_or_cannot_be_read(tmp_path: Path) -> None:
    logged(tmp_path, texts(20, WORDS))
    [file] = (tmp_path / "films").glob("*.tfrecord")
    seen = Traffic()
    gone = [file.with_name(f"{file.name}.partial"), file.with_name("old.tfrecord")]
    assert len(list(_logs(gone, seen))) == 4, "the first has lost its suffix, the second was removed"
    folder = tmp_path / "films" / "folder.tfrecord"
    folder.mkdir()
    with pytest.raises(DriftError, match="folder.tfrecord cannot be read"):
        list(_logs([folder], seen))


def test_every_log_that_is_named_must_be_there(config: Config, tmp_path: Path) -> None:
    with pytest.raises(DriftError, match="Received: .*typo.tfrecord, where there are none"):
        write_drift(config, [logged(tmp_path, texts(20, WORDS)), tmp_path / "typo.tfrecord"])


def test_what_cannot_be_compared_says_why(config: Config, tmp_path: Path) -> None:
    with pytest.raises(DriftError, match="where there are none. Set serving.request_log.folder"):
        write_drift(config, [tmp_path / "nothing"])
    with pytest.raises(DriftError, match="Received: neither"):
        write_drift(config, [])
    (tmp_path / "text.tfrecord").write_text("no record")
    with pytest.raises(DriftError, match="not TFRecords of PredictionLog"):
        write_drift(config, [tmp_path / "text.tfrecord"])
    other = config.model_copy(update={"name": "books"})
    with pytest.raises(DriftError, match="no run has pushed books"):
        write_drift(other, [tmp_path])
