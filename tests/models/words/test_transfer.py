"""Vectors of words as the beginning of other models."""

import numpy as np
import pytest
import tensorflow as tf

from models.errors import SeqlineError
from models.export import export
from models.registry import TASKS
from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.vocabularies import TOKENIZERS
from models.training import begin_with, build_model, train
from models.words.files import write_binary, write_text
from models.words.vocabulary import Words
from tests.models.conftest import learn, run_settings, write_transformed

ROWS = [{"text": 'good "film"', "label": "yes"}, {"text": "bad film", "label": "no"}] * 8
VECTORS = {"good": [1, 2, 3], "film": [4, 5, 6], "swan": [7, 8, 9]}
SMALL = {"architecture": "recurrent", "embedding_dim": 3, "hidden_dim": 4, "num_layers": 1}


def settings_of(unit: str = "word", trainable: bool = True, **model):
    embeddings = {"from": "vectors.txt", "trainable": trainable}
    tokenizer = {"unit": unit, "vocabulary_size": 60}
    return run_settings("text_classification", SMALL | {"embeddings": embeddings} | model, tokenizer=tokenizer)


@pytest.fixture
def file(tmp_path):
    write_text(list(VECTORS), np.array(list(VECTORS.values()), np.float32), tmp_path / "vectors.txt")
    return str(tmp_path / "vectors.txt")


def rows_of(model, vocabularies, feature="text") -> dict[str, list[float]]:
    [embedding] = TASKS["text_classification"].code().token_embeddings(model).values()
    table = np.asarray(embedding.embedding.embeddings)
    return dict(zip(vocabularies.tokenizer(feature).pieces, table.tolist(), strict=True))


def test_known_words_begin_with_their_vectors_and_others_with_random_ones_of_their_variance(file):
    settings = settings_of()
    vocabularies = learn(ROWS, settings)
    model = build_model(settings, vocabularies)
    assert begin_with(file, model, vocabularies, settings) == {"text": 3 / 6}
    rows = rows_of(model, vocabularies)
    assert rows["▁good"] == [1, 2, 3]
    assert rows["▁film"] == rows["film"] == [4, 5, 6], "with a space before it or without"
    assert rows["▁bad"] != [7, 8, 9]
    others = [value for piece, row in rows.items() if piece not in ("▁good", "▁film", "film") for value in row]
    assert 0.3 < np.std(others) / np.std([1, 2, 3, 4, 5, 6]) < 3


@pytest.mark.parametrize("trainable", [True, False])
def test_frozen_vectors_stay_as_they_are(file, tmp_path, trainable):
    settings = settings_of(trainable=trainable)
    vocabularies = learn(ROWS, settings)
    examples = write_transformed(ROWS, settings, vocabularies, tmp_path / "rows")
    settings = settings.model_copy(update={"training": settings.training.model_copy(update={"epochs": 2})})
    model, state = train(
        settings, vocabularies, [examples], [examples], str(tmp_path / "checkpoints"), other_vectors=file
    )
    assert (rows_of(model, vocabularies)["▁good"] == [1, 2, 3]) != trainable
    assert state.vectors_found == {"text": 3 / 6}


@pytest.mark.parametrize(
    ("unit", "pieces", "words"),
    [
        ("word", ["▁king", "king", ","], ["king", "king", ","]),
        ("wordpiece", ["▁king", "##ing", ",", "▁"], ["king", "", ",", ""]),
        ("sentencepiece", ["▁king\t-1", "ing\t-1", ",\t-2", "▁\t-3"], ["king", "", ",", ""]),
        ("character", ["a", " "], ["a", " "]),
        ("byte", ["<0x41>"], [""]),
    ],
)
def test_pieces_stand_for_whole_words_alone(unit, pieces, words):
    special = ["[PAD]", "[UNK]", "[START]", "[END]"]
    tokenizer = TOKENIZERS[unit]([*special, *pieces], TokenizerSettings(unit=unit))
    assert tokenizer.words() == ["", "", "", "", *words]


def test_words_that_the_data_have_cut_begin_with_vectors(file):
    settings = run_settings("sequence_labeling", SMALL | {"embeddings": {"from": "vectors.txt"}})
    vocabularies = learn([{"tokens": ["good", "film"], "tags": ["O", "B-x"]}], settings)
    built = build_model(settings, vocabularies)
    assert begin_with(file, built, vocabularies, settings) == {"tokens": 1}
    rows = np.asarray(built.get_layer("word_embedding").embedding.embeddings)
    assert rows[vocabularies.words["tokens"].index("good")].tolist() == [1, 2, 3]


def test_both_sides_of_a_translation_begin_with_vectors(file):
    model = {"architecture": "seq2seq", "embedding_dim": 3, "hidden_dim": 4, "embeddings": {"from": "vectors.txt"}}
    settings = run_settings("text_to_text", model, tokenizer={"unit": "word"})
    vocabularies = learn([{"source": "good film", "target": "gut good"}], settings)
    built = build_model(settings, vocabularies)
    assert begin_with(file, built, vocabularies, settings) == {"source": 1, "target": 0.5}


@pytest.mark.parametrize(
    ("vectors", "width", "message"),
    [
        ({"good": [1, 2]}, 2, "embedding_dim=2"),
        ({"schwan": [1, 2, 3]}, 3, "which has none of its 4 words"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(tmp_path, vectors, width, message):
    write_binary(list(vectors), np.array(list(vectors.values()), np.float32), tmp_path / "v.bin")
    settings = settings_of()
    vocabularies = learn(ROWS, settings)
    with pytest.raises(SeqlineError, match=message):
        begin_with(str(tmp_path / "v.bin"), build_model(settings, vocabularies), vocabularies, settings)


def test_another_model_is_asked_for_its_vectors(tmp_path):
    words = run_settings("word_embedding", {"architecture": "cbow", "embedding_dim": 3}, tokenizer={"unit": "word"})
    known = learn([{"text": "good swan"}], words)
    source = build_model(words, known)
    export(source, words, known, str(tmp_path / "model"), {})
    settings = settings_of()
    vocabularies = learn(ROWS, settings)
    model = build_model(settings, vocabularies)
    assert begin_with(str(tmp_path / "model"), model, vocabularies, settings) == {"text": 1 / 6}
    names = Words.of(known, "text").names
    vector = source.get_layer("word_vectors").vectors.embeddings[names.index("good") + 1]
    np.testing.assert_allclose(rows_of(model, vocabularies)["▁good"], tf.constant(vector), rtol=1e-6)
