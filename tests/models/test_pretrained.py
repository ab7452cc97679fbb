"""A model begins with the encoder of another run, and the parts that are frozen stay as they are."""

import numpy as np
import pytest

from models.bodies import save_bodies
from models.errors import SeqlineError
from models.left_files import BODIES_FOLDER, missing_files
from models.pretrained import begin_from, freeze
from models.registry import TASKS
from models.training import build_model, train
from tests.models.conftest import learn, run_settings, write_transformed

MODEL = {"architecture": "transformer", "embedding_dim": 8, "hidden_dim": 8, "num_layers": 1, "num_heads": 2}
ROWS = [{"text": text, "label": label} for text, label in (("abc", "x"), ("bca", "x"), ("cab", "y"), ("cba", "y"))]
CODE = TASKS["text_classification"].code()


def settings_of(**training):
    return run_settings("text_classification", MODEL, training=training)


@pytest.fixture(name="left")
def _left(tmp_path):
    """What a run of masked language modelling leaves."""
    settings = run_settings("masked_language_modeling", MODEL | {"dropout": 0.0})
    vocabularies, code = learn(ROWS, settings), TASKS["masked_language_modeling"].code()
    model = build_model(settings, vocabularies)
    folder = tmp_path / "left"
    save_bodies(code.bodies(model), folder / BODIES_FOLDER)
    code.leave(model, vocabularies, folder)
    vocabularies.save(str(folder / "vocabularies"))
    return folder, model


def test_encoder_and_vectors_of_pieces_are_taken_over(left):
    folder, other = left
    assert missing_files(folder) == []
    settings = settings_of(init_from="run")
    model = build_model(settings, learn(ROWS, settings))
    begin_from(folder, model, CODE)
    for ours, theirs in zip(CODE.bodies(model)["encoder"].weights, other.encoder.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    # All positions of the other model have the first segment; [MASK] is no piece of ours.
    segment = np.array(other.segment_embedding.weights[0])[0]
    wanted = np.array(other.token_embedding.weights[0])[:-1] + segment
    np.testing.assert_allclose(model.get_layer("token_embedding").weights[0], wanted, rtol=1e-6)


def test_an_encoder_of_other_sizes_is_refused(left):
    settings = run_settings("text_classification", MODEL | {"hidden_dim": 4})
    with pytest.raises(SeqlineError, match="of the same sizes and vocabulary"):
        begin_from(left[0], build_model(settings, learn(ROWS, settings)), CODE)


@pytest.mark.parametrize(
    ("what", "learning"), [("none", {"token_embedding", "encoder"}), ("embedding", {"encoder"}), ("encoder", set())]
)
def test_what_is_frozen_does_not_learn(what, learning):
    settings = settings_of()
    model = build_model(settings, learn(ROWS, settings))
    freeze(what, model, CODE)
    assert {layer.name for layer in model.layers if layer.trainable_variables} == learning | {"logits"}


def test_a_training_begins_there_and_what_is_frozen_stays(left, tmp_path):
    folder, other = left
    settings = settings_of(init_from="run", freeze="encoder", epochs=1, batch_size=4)
    vocabularies = learn(ROWS, settings)
    file = write_transformed(ROWS, settings, vocabularies, tmp_path / "rows")
    model, _ = train(settings, vocabularies, [file], [file], str(tmp_path / "state"), start=str(folder))
    for ours, theirs in zip(CODE.bodies(model)["encoder"].weights, other.encoder.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
