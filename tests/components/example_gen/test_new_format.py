"""What a new format and new kinds cost: lines of tables, and a reader."""

import apache_beam as beam
import pytest
import tensorflow as tf

from components.data_gate import harmless_anomalies
from components.errors import DataError
from components.example_gen.executor import generate_examples
from components.example_gen.formats import READERS, Reader
from components.example_gen.settings import DataSettings
from components.tokenizer_trainer import count_units, learn_vocabularies
from models.features import KINDS, Feature, Kind
from models.tokenizers.settings import TokenizerSettings
from tests.components.example_gen.files import write

RUNNER = "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"
FEATURES = (Feature("tokens", "toy_tokens"), Feature("tags", "toy_tags"), Feature("lengths", "toy_lengths"))


@pytest.fixture(autouse=True)
def toy_format(monkeypatch):
    monkeypatch.setitem(KINDS, "toy_tokens", Kind("bytes", many=True, learned="pieces", section="tokenizer"))
    monkeypatch.setitem(KINDS, "toy_tags", Kind("bytes", many=True, learned="categories"))
    monkeypatch.setitem(KINDS, "toy_lengths", Kind("floats", many=True, batch_size=64))
    monkeypatch.setitem(
        READERS,
        "toy",
        Reader(
            "tests.components.example_gen.toy_reader",
            "token/tag pairs",
            kinds=frozenset({"toy_tokens", "toy_tags", "toy_lengths"}),
            suffixes=(".toy",),
            offer="give .toy files",
        ),
    )


def generate(out, **settings):
    out.mkdir()
    return generate_examples(beam.Pipeline(argv=[RUNNER]), DataSettings(**settings), FEATURES, str(out))


def test_a_format_of_new_kinds_goes_through_the_data_stages(tmp_path):
    train = write(tmp_path / "train.toy", "Ann/NAME sings/O\n" * 70 + "no tag\n")
    paths = {"train": train, "eval": write(tmp_path / "eval.toy", "Ann/NAME\n")}
    counts = generate(tmp_path / "out", **paths, max_bad_fraction=0.1)
    assert (counts["splits"], counts["refused"]) == ({"train": 70, "eval": 1}, 1)
    [file] = map(str, (tmp_path / "out/Split-eval").iterdir())
    [serialized] = tf.data.TFRecordDataset(file, compression_type="GZIP")
    example = tf.train.Example.FromString(serialized.numpy()).features.feature
    assert [list(example[name].bytes_list.value) for name in ("tokens", "tags")] == [[b"Ann"], [b"NAME"]]
    assert list(example["lengths"].float_list.value) == [3.0]
    settings = TokenizerSettings(unit="character")
    split, pipeline = str(tmp_path / "out/Split-train"), beam.Pipeline(argv=[RUNNER])
    units = count_units(pipeline, {"train": split}, FEATURES, settings, str(tmp_path))["train"]
    assert units["tags"] == {"NAME": 70, "O": 70}
    assert units["tokens"]["n"] == 70 * 3
    vocabularies = learn_vocabularies(units, FEATURES, settings)
    assert vocabularies.categories == {"tags": ["NAME", "O"]}
    assert {"A", "n", "s"} <= set(vocabularies.pieces["tokens"])


def test_new_kinds_have_the_rules_of_their_facts(tmp_path):
    line = "Ann/NAME sings/O\n"
    with pytest.raises(DataError, match='eval.toy:2: tags "VERB" of the eval split does not occur in train'):
        eval_ = write(tmp_path / "eval.toy", f"{line}Bob/NAME sings/VERB\n")
        generate(tmp_path / "out", train=write(tmp_path / "train.toy", line), eval=eval_)
    tokens, tags, lengths = map(harmless_anomalies, FEATURES)
    assert tags < tokens and lengths < tokens


def test_other_files_are_refused_with_what_to_give_instead(tmp_path):
    with pytest.raises(DataError, match="The task learns from texts: give .toy files. Received: .*a.tsv, format tsv"):
        generate(tmp_path / "out", path=write(tmp_path / "a.tsv", "tokens\ttags\n"))
