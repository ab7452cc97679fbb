"""Words that are tagged by what the encoder of another run makes of their first pieces."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from models.bodies import save_bodies
from models.export import export
from models.left_files import BODIES_FOLDER
from models.pretrained import begin_from
from models.registry import TASKS
from models.tasks.sequence_labeling import model_inputs, piece_inputs, word_inputs, words_of
from models.training import build_model, train
from tests.models.conftest import learn, run_settings, write_transformed

MODEL = {"architecture": "transformer", "embedding_dim": 8, "hidden_dim": 8, "num_layers": 1, "num_heads": 2}
TOKENIZER = {"vocabulary_size": 40, "max_sequence_length": 30}
TEXTS = ["cat sat, cab", "tab at bat sat", "a cab sat at a tab"]
ROWS = [
    {"tokens": words, "tags": ["B-act" if "sat" in word else "O" for word in words]} for words in map(str.split, TEXTS)
]
CODE = TASKS["sequence_labeling"].code()


@pytest.fixture(scope="module", name="left")
def _left(tmp_path_factory):
    """What a run of masked language modelling leaves, its model, and its vocabularies."""
    settings = run_settings("masked_language_modeling", MODEL | {"dropout": 0.0}, tokenizer=TOKENIZER)
    vocabularies, code = learn([{"text": text} for text in TEXTS], settings), TASKS["masked_language_modeling"].code()
    folder, model = tmp_path_factory.mktemp("left"), build_model(settings, vocabularies)
    save_bodies(code.bodies(model), folder / BODIES_FOLDER)
    code.leave(model, vocabularies, folder)
    return folder, model, vocabularies


def begun(left, **training):
    settings = run_settings(
        "sequence_labeling",
        MODEL | {"dropout": 0.0},
        tokenizer=TOKENIZER,
        labeling={"shape_dim": 3, "characters": "none", "crf": False},
        training={"init_from": "run", "learning_rate": 0.03} | training,
    )
    return settings, dataclasses.replace(learn(ROWS, settings), parts={"tokens": left[2].pieces["text"]})


def test_a_word_stands_where_its_first_piece_does():
    """[START] 7 8 9 [END], the words 7, 8 9 and one without pieces; and no words."""
    inputs = piece_inputs(tf.ragged.constant([[[7], [8, 9], []], []], ragged_rank=2, dtype=tf.int32))
    assert inputs["piece_ids"].numpy().tolist() == [[2, 7, 8, 9, 3], [2, 3, 0, 0, 0]]
    assert inputs["first_pieces"].numpy().tolist() == [[1, 2, 4], [1, 1, 1]]


def test_words_are_cut_as_the_text_that_they_stand_in(left):
    _, vocabularies = begun(left)
    text = "cat sat,  at CAB!"
    pieces = words_of(vocabularies).look_up_pieces(tf.ragged.constant([text.split()]))
    whole = left[2].tokenizer("text").tokenize(tf.constant([text]))
    assert pieces.merge_dims(1, 2).to_list() == whole.to_list()
    assert len(pieces[0, 1]) > 1
    assert words_of(vocabularies).unit_ids(tf.constant(text.split())).to_list() == pieces[0].to_list()


def test_the_encoder_reads_what_it_read_there(left):
    folder, other, _ = left
    settings, vocabularies = begun(left)
    model = build_model(settings, vocabularies)
    begin_from(folder, model, CODE)
    words = words_of(vocabularies)
    inputs = model_inputs(word_inputs(tf.ragged.constant([["sat", "cab,", "at"]]), words), settings)
    there = other.hidden_states(inputs["piece_ids"], tf.zeros_like(inputs["piece_ids"])).numpy()[0]
    wanted = there[inputs["first_pieces"].numpy()[0]]
    shapes = model.shape_embedding(inputs["shape_ids"])[0]
    np.testing.assert_allclose(model(inputs)[0], model.emissions(tf.concat([wanted, shapes], axis=1)), atol=1e-5)


def test_it_learns_and_answers_alike_alone_and_in_company(left, tmp_path):
    settings, vocabularies = begun(left, epochs=4, batch_size=6, early_stopping_patience=0, layer_decay=0.9)
    file = write_transformed(ROWS * 20, settings, vocabularies, tmp_path / "rows")
    model, state = train(settings, vocabularies, [file], [file], str(tmp_path / "state"), start=str(left[0]))
    assert state.best_metrics["val_entity_f1"] == 1
    export(model, settings, vocabularies, str(tmp_path / "model"), {"code_version": "0", "metrics": {}})
    ask = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    texts = [*TEXTS, "", "ü \u0001 cat"]
    together = ask(text=tf.constant(texts))
    assert together["tags"].numpy()[1].tolist()[:4] == [b"O", b"O", b"O", b"B-act"]  # tab at bat sat
    for row, text in enumerate(texts):
        alone = ask(text=tf.constant([text]))
        length = alone["tags"].shape[1]
        np.testing.assert_array_equal(alone["tags"][0, :length], together["tags"][row, :length])
        np.testing.assert_allclose(alone["scores"][0, :length], together["scores"][row, :length], atol=1e-5)
