import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf

from components.example_gen.executor import encode
from components.example_gen.records import Record
from components.tokenizer_trainer import count_units, learn_vocabularies
from models.registry import TASKS
from models.tokenizers.settings import TokenizerSettings

RUNNER = "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"
SPECIAL = ["[PAD]", "[UNK]", "[START]", "[END]"]

CLASSIFICATION = TASKS["text_classification"].features
TRANSLATION = TASKS["text_to_text"].features
TAGGING = TASKS["sequence_labeling"].features
GENERATION = TASKS["audio_generation"].features


def write_examples(folder, rows):
    folder.mkdir()
    half = len(rows) // 2
    for name, part in (("1.gz", rows[:half]), ("2.gz", rows[half:])):
        with tf.io.TFRecordWriter(str(folder / name), options="GZIP") as writer:
            for row in part:
                writer.write(encode(Record(row, "", 1)))
    return str(folder)


def count(tmp_path, rows, features, settings):
    folder = write_examples(tmp_path / "examples", rows)
    out = tmp_path / "out"
    out.mkdir()
    counts = count_units(beam.Pipeline(argv=[RUNNER]), {"train": folder}, features, settings, str(out))
    assert list(out.iterdir()) == []
    return counts["train"]


def test_counts_add_up_over_files_and_batches(tmp_path):
    rows = [{"text": "aab\n좋", "label": "x"}] * 3000 + [{"text": "B", "label": "y"}]
    settings = TokenizerSettings(unit="character", lowercase=True)
    counts = count(tmp_path, rows, CLASSIFICATION, settings)
    assert counts == {"text": {"a": 6000, "b": 3001, "\n": 3000, "좋": 3000}, "label": {"x": 3000, "y": 1}}


def test_bytes_have_nothing_to_count_but_labels(tmp_path):
    counts = count(tmp_path, [{"text": "ab", "label": "x"}], CLASSIFICATION, TokenizerSettings(unit="byte"))
    assert counts == {"text": {}, "label": {"x": 1}}


def test_one_vocabulary_per_feature_and_sorted_labels():
    settings = TokenizerSettings(unit="character", vocabulary_size=6)
    counts = {"text": {"c": 5, "a": 9, "b": 7}, "label": {"pos": 1, "neg": 9, "10": 3, "9": 3}}
    vocabularies = learn_vocabularies(counts, CLASSIFICATION, settings)
    assert vocabularies.pieces == {"text": [*SPECIAL, "a", "b"]}
    assert vocabularies.categories == {"label": ["10", "9", "neg", "pos"]}


@pytest.mark.parametrize(
    ("shared", "source", "target"), [(True, ["c", "a"], ["c", "a"]), (False, ["a", "c"], ["c", "b"])]
)
def test_a_shared_vocabulary_adds_the_counts(shared, source, target):
    settings = TokenizerSettings(unit="character", vocabulary_size=6, shared=shared)
    counts = {"source": {"a": 5, "c": 4}, "target": {"b": 4, "c": 5}}
    vocabularies = learn_vocabularies(counts, TRANSLATION, settings)
    assert vocabularies.pieces == {"source": [*SPECIAL, *source], "target": [*SPECIAL, *target]}
    assert vocabularies.categories == {}


def test_known_pieces_are_taken_over_for_texts_and_for_the_words_of_tagged_ones():
    known = [*SPECIAL, "z", "##z"]
    texts = learn_vocabularies({"text": {"a": 2}, "label": {"x": 1}}, CLASSIFICATION, TokenizerSettings(), known)
    assert texts.pieces == {"text": known}
    words = learn_vocabularies({"tokens": {"ab": 2}, "tags": {"O": 2}}, TAGGING, TokenizerSettings(), known)
    assert (words.pieces, words.words, words.parts) == ({}, {"tokens": [*SPECIAL, "ab"]}, {"tokens": known})
    assert learn_vocabularies({"tokens": {"ab": 2}, "tags": {"O": 2}}, TAGGING, TokenizerSettings()).parts == {}


def test_recordings_are_not_counted_but_each_of_their_labels_is(tmp_path):
    audio = np.zeros(100, np.float32)
    rows = [{"audio": audio, "label": "7", "speaker": ""}] * 150 + [{"audio": audio, "label": "8", "speaker": "bob"}]
    counts = count(tmp_path, rows, GENERATION, TokenizerSettings())
    assert counts == {"label": {"7": 150, "8": 1}, "speaker": {"": 150, "bob": 1}}


@pytest.mark.parametrize("shared", [True, False])
def test_recordings_have_categories_and_no_pieces(shared):
    counts = {"label": {"8": 1, "7": 3}, "speaker": {"": 4}}
    vocabularies = learn_vocabularies(counts, GENERATION, TokenizerSettings(shared=shared))
    assert (vocabularies.pieces, vocabularies.categories) == ({}, {"label": ["7", "8"], "speaker": [""]})


def test_each_split_is_counted_by_itself(tmp_path):
    folders = {
        split: write_examples(tmp_path / split, [{"text": text, "label": "x"}] * 2)
        for split, text in {"train": "ab", "eval": "b"}.items()
    }
    settings = TokenizerSettings(unit="character")
    counts = count_units(beam.Pipeline(argv=[RUNNER]), folders, CLASSIFICATION, settings, str(tmp_path))
    assert counts["train"]["text"] == {"a": 2, "b": 2}
    assert counts["eval"] == {"text": {"b": 2}, "label": {"x": 2}}
