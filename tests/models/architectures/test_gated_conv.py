import keras
import numpy as np
import pydantic
import pytest
import tensorflow as tf

from models.architectures.gated_conv import GatedConvStack
from models.architectures.settings.gated_conv import GatedConvSettings
from models.layers.masks import SequenceMask
from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.special import SPECIAL_TOKENS
from models.tokenizers.vocabularies import Vocabularies
from models.training import build_model, train
from tests.models.architectures.test_recurrent import rows
from tests.models.conftest import learn, run_settings, write_transformed
from tests.models.test_export import exported

SMALL = {"embedding_dim": 4, "hidden_dim": 6, "num_layers": 3}
VARIANTS = [{}, {"dilation": True}, {"squeeze_excitation": 2}, {"dilation": True, "squeeze_excitation": 2}]
LETTERS = [*SPECIAL_TOKENS, *"abcdef"]
TEXTS = Vocabularies(TokenizerSettings(unit="character"), {"text": LETTERS}, {"label": ["a", "b"]})
SOUNDS = Vocabularies(TokenizerSettings(), {}, {"label": ["a", "b", "c"], "speaker": [""]})


def small(vocabularies: Vocabularies, **settings) -> keras.Model:
    task = "text_classification" if vocabularies.pieces else "audio_classification"
    sizes = {name: value for name, value in SMALL.items() if vocabularies.pieces or name != "embedding_dim"}
    model = build_model(run_settings(task, {"architecture": "gated_conv", **sizes, **settings}), vocabularies)
    # Not the zeros of fresh biases, under which padding would look like nothing.
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0, 0.4, weight.shape) for weight in model.get_weights()])
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_variance.assign(np.ones(layer.moving_variance.shape))
    return model


def sound(*lengths: int, padding: float = 0.0) -> dict[str, np.ndarray]:
    """Random frames, the same for a row whatever stands beside or behind it."""
    frames = np.full((len(lengths), max(lengths), 40), padding, "float32")
    for row, length in enumerate(lengths):
        frames[row, :length] = np.random.default_rng(length).normal(size=(length, 40))
    return {"frames": frames, "num_frames": np.array(lengths, "int32")}


# === Padding ===


@pytest.mark.parametrize("variant", VARIANTS)
def test_padding_and_batch_mates_change_no_logit_of_a_text(variant):
    model = small(TEXTS, **variant)
    alone = model(np.array([[4, 5, 6]]))
    padded = model(np.array([[7, 8, 9, 7, 8, 9, 7, 8], [4, 5, 6, 0, 0, 0, 0, 0]]))
    assert alone.shape == (1, 2)
    assert np.abs(padded[0] - padded[1]).max() > 1e-3
    np.testing.assert_allclose(padded[1], alone[0], atol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_padding_and_batch_mates_change_no_logit_of_a_sound(variant):
    model = small(SOUNDS, **variant)
    alone, padded = model(sound(5)), model(sound(12, 5, padding=50.0))
    assert alone.shape == (1, 3)
    assert np.abs(padded[0] - padded[1]).max() > 1e-3
    np.testing.assert_allclose(padded[1], alone[0], atol=1e-5)


def test_padding_is_no_part_of_what_normalizes_the_bands():
    statistics = []
    for padding in (0.0, 50.0):
        model = small(SOUNDS)
        model(sound(12, 5, padding=padding), training=True)
        statistics.append(model.get_layer("normalization").moving_mean.numpy())
    np.testing.assert_allclose(statistics[0], statistics[1], atol=1e-6)


@pytest.mark.parametrize(("vocabularies", "nothing"), [(TEXTS, np.zeros((1, 1))), (SOUNDS, sound(1))])
def test_a_row_without_anything_real_gives_scores(vocabularies, nothing):
    if isinstance(nothing, dict):
        nothing["num_frames"] = np.array([0], "int32")
    assert np.isfinite(small(vocabularies, squeeze_excitation=2)(nothing)).all()


def test_noise_is_heard_in_training_only():
    clean, noisy = small(SOUNDS, dropout=0.0), small(SOUNDS, dropout=0.0, noise_snr_db=0.0)
    np.testing.assert_array_equal(clean(sound(9)), noisy(sound(9)))
    np.testing.assert_array_equal(noisy(sound(9)), noisy(sound(9)))
    np.testing.assert_array_equal(clean(sound(9), training=True), clean(sound(9), training=True))
    assert np.abs(noisy(sound(9), training=True) - noisy(sound(9), training=True)).max() > 1e-3
    assert clean.count_params() == noisy.count_params()


def test_lengths_become_a_mask():
    mask = SequenceMask()(tf.constant([0, 2, 3, 9]), tf.zeros([4, 3, 5]))
    assert mask.numpy().tolist() == [[False] * 3, [True, True, False], [True] * 3, [True] * 3]


# === Sizes ===


@pytest.mark.parametrize(
    ("settings", "reach"),
    # Each layer adds (kernel_size - 1) / 2 positions on each side, times its dilation: 1, 2, 4.
    [({}, 3), ({"kernel_size": 5}, 6), ({"dilation": True}, 7), ({"kernel_size": 5, "dilation": True}, 14)],
)
def test_a_position_sees_as_far_as_the_settings_say_on_both_sides(settings, reach):
    stack = GatedConvStack(GatedConvSettings(**SMALL, **settings))
    rng = np.random.default_rng(2)
    sequence, mask = rng.normal(size=(1, 41, 5)).astype("float32"), np.ones((1, 41), bool)
    stack(sequence, mask)
    stack.set_weights([rng.normal(size=weight.shape) for weight in stack.get_weights()])
    changed = sequence.copy()
    changed[0, 20] += 1
    moved = np.flatnonzero(np.abs(stack(changed, mask)[0] - stack(sequence, mask)[0]).max(axis=-1)[0] > 1e-6) - 20
    assert moved.tolist() == list(range(-reach, reach + 1))


def test_weights_are_as_many_as_counted_by_hand():
    projection, layer, output = 4 * 6 + 6, 3 * 6 * 12 + 12, 2 * 6 * 2 + 2
    assert small(TEXTS).count_params() == 10 * 4 + projection + 3 * layer + output
    excitation = (6 * 3 + 3) + (3 * 6 + 6)
    assert small(TEXTS, squeeze_excitation=2).count_params() == small(TEXTS).count_params() + 3 * excitation
    # Sounds: mean, variance, scale and offset of 40 bands, which the projection reads; three labels.
    assert small(SOUNDS).count_params() == 4 * 40 + (40 * 6 + 6) + 3 * layer + (2 * 6 * 3 + 3)


@pytest.mark.parametrize(
    ("vocabularies", "inputs"), [(TEXTS, np.array([[4, 5, 6, 7, 8], [9, 1, 2, 3, 0]])), (SOUNDS, sound(9, 5))]
)
@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_reach_all_weights(vocabularies, inputs, variant):
    model = small(vocabularies, **variant)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(inputs) * [1.0, -0.5, 0.3][: len(vocabularies.labels)])
    weights = {weight.path: weight.value for weight in model.trainable_variables}
    still = [
        path
        for path, gradient in tape.gradient(loss, weights).items()
        if gradient is None or not np.any(tf.convert_to_tensor(gradient))
    ]
    assert not still


def test_a_ratio_above_the_channels_is_refused():
    with pytest.raises(pydantic.ValidationError, match="squeeze_excitation=16, hidden_dim=8"):
        GatedConvSettings(hidden_dim=8, squeeze_excitation=16)
    assert GatedConvSettings(hidden_dim=16, squeeze_excitation=16).squeeze_excitation == 16


# === Learning and exporting texts ===


@pytest.mark.parametrize("variant", [{}, {"dilation": True, "squeeze_excitation": 4}])
def test_learns_which_letter_comes_first(variant, tmp_path):
    model = {"architecture": "gated_conv", "embedding_dim": 8, "hidden_dim": 16, "num_layers": 3, "dropout": 0}
    training = {"epochs": 5, "learning_rate": 0.02, "batch_size": 32, "length_buckets": 2}
    settings = run_settings("text_classification", model | variant, training=training)
    train_rows, eval_rows = rows(400, 1), rows(100, 2)
    vocabularies = learn(train_rows, settings)
    files = [
        write_transformed(part, settings, vocabularies, tmp_path / name)
        for part, name in ((train_rows, "t"), (eval_rows, "e"))
    ]
    _, state = train(settings, vocabularies, files[:1], files[1:], str(tmp_path / "checkpoints"))
    assert state.best_metrics["val_accuracy"] > 0.97


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_exported_answers_texts_as_in_keras(precision, tmp_path):
    model = {"architecture": "gated_conv", **SMALL, "dilation": True, "squeeze_excitation": 2}
    loaded, signatures, texts = exported(
        "text_classification", model, rows(50, 0), "text", tmp_path, training={"precision": precision}
    )
    answer, in_keras = loaded["serving_default"](text=tf.constant(texts)), signatures.predict(tf.constant(texts))
    assert answer["scores"].dtype == tf.float32
    np.testing.assert_allclose(answer["scores"], in_keras["scores"], atol=1e-6 if precision == "float32" else 1e-2)
    np.testing.assert_allclose(np.sum(answer["scores"], axis=1), 1, atol=1e-5)
    assert answer["label"].numpy().tolist() == in_keras["label"].numpy().tolist()
    assert loaded["serving_default"](text=tf.constant(["", ""]))["scores"].shape == (2, 2)
