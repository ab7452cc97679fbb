import math

import keras
import numpy as np
import pydantic
import pytest
import tensorflow as tf

from models.architectures.settings.wavenet import WaveNetSettings
from models.architectures.wavenet import WaveNet
from models.audio import SILENCE_ID, mu_law_encode

SMALL = {"hidden_dim": 6, "skip_dim": 8, "dilation_depth": 3, "num_stacks": 2}


def small(**settings) -> WaveNet:
    model = WaveNet(WaveNetSettings(**{**SMALL, **settings}), {"label": 3, "speaker": 2})
    # Not the zeros of fresh biases and near-zeros of fresh weights, under which much would look equal.
    inputs = {"audio_ids": np.zeros((1, 8)), "label_id": [0], "speaker_id": [0], "frames": np.zeros((1, 1, 5))}
    model({name: tf.constant(value) for name, value in inputs.items() if name in needed(model)})
    generator = np.random.default_rng(1)
    model.set_weights([generator.normal(0, 0.4, weight.shape) for weight in model.get_weights()])
    return model


def needed(model: WaveNet) -> set[str]:
    local = {"frames"} if model.settings.local_features != "none" else set()
    return {"audio_ids", *(f"{name}_id" for name in model.settings.condition_on)} | local


def random_ids(length: int, rows: int = 1, seed: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (rows, length))


@pytest.mark.parametrize("kernel_size", [2, 3])
def test_no_future_sample_changes_a_past_prediction(kernel_size):
    model = small(kernel_size=kernel_size)
    ids = random_ids(40)
    changed = ids.copy()
    changed[0, 25] = (changed[0, 25] + 100) % 256
    one, other = model({"audio_ids": ids}), model({"audio_ids": changed})
    np.testing.assert_array_equal(one[0, :25], other[0, :25])
    assert np.abs(one[0, 25] - other[0, 25]).max() > 1e-4


@pytest.mark.parametrize(("kernel_size", "expected"), [(2, 16), (3, 31)])
def test_the_receptive_field_is_what_probing_finds(kernel_size, expected):
    model = small(kernel_size=kernel_size)
    # The first convolution and two stacks of dilations 1, 2, 4, by hand: (k - 1) * (1 + 7 + 7) + 1.
    assert model.settings.receptive_field == expected
    ids = random_ids(60)
    last = model({"audio_ids": ids})[0, -1]
    seen = []
    for back in range(1, 45):
        changed = ids.copy()
        changed[0, -back] = (changed[0, -back] + 100) % 256
        if np.abs(model({"audio_ids": changed})[0, -1] - last).max() > 0:
            seen.append(back)
    assert seen[-1] == expected


def test_the_default_sees_a_quarter_of_a_second_at_8_khz():
    assert WaveNetSettings().receptive_field == 2 * 1023 + 2


@pytest.mark.parametrize("condition_on", [(), ("label",), ("label", "speaker")])
@pytest.mark.parametrize("kernel_size", [2, 3])
def test_one_by_one_with_queues_equals_all_at_once(condition_on, kernel_size):
    model = small(condition_on=condition_on, kernel_size=kernel_size, dilation_depth=5)
    rows, length = 2, 2000
    inputs = {"audio_ids": random_ids(length, rows)}
    inputs |= {f"{name}_id": np.array([1, 0]) for name in condition_on}
    whole = model({name: tf.constant(value) for name, value in inputs.items()})
    conditions = {name: tf.constant(value) for name, value in inputs.items() if name != "audio_ids"}
    np.testing.assert_allclose(one_by_one(model, inputs["audio_ids"], conditions), whole, atol=1e-5)


def one_by_one(model: WaveNet, ids: np.ndarray, conditions: dict[str, tf.Tensor]) -> np.ndarray:
    """Logits (B, T, 256) of `step`, from a cache whose tensors all have B rows."""
    cache, steering = model.start(len(ids), ids.shape[1]), model.conditions_of(conditions, len(ids))
    assert {len(tensor) for tensor in cache.values()} == {len(ids)}

    @tf.function
    def run(ids):
        def step(time, cache, logits):
            here = {name: part[:, time % part.shape[1]][:, tf.newaxis] for name, part in steering.items()}
            now, cache = model.step(ids[:, time], cache, here)
            return time + 1, cache, logits.write(time, now)

        logits = tf.TensorArray(tf.float32, ids.shape[1])
        _, _, logits = tf.while_loop(lambda time, *_: time < ids.shape[1], step, (0, cache, logits))
        return tf.transpose(logits.stack(), [1, 0, 2])

    return run(tf.constant(ids)).numpy()


def test_one_by_one_with_frames_equals_all_at_once():
    model = small(local_features="log_mel", num_mel_bins=5, frame_step=10)
    frames = np.random.default_rng(3).normal(size=(2, 4, 5)).astype(np.float32)
    ids = random_ids(40, 2)
    whole = model({"audio_ids": ids, "frames": frames})
    np.testing.assert_allclose(one_by_one(model, ids, {"frames": tf.constant(frames)}), whole, atol=1e-5)


def test_each_condition_changes_the_prediction():
    model = small(condition_on=("label", "speaker"), local_features="log_mel", num_mel_bins=5, frame_step=10)
    inputs = {
        "audio_ids": random_ids(20),
        "label_id": np.array([0]),
        "speaker_id": np.array([0]),
        "frames": np.ones((1, 2, 5), np.float32),
    }
    before = model(inputs)
    for name, value in (("label_id", [1]), ("speaker_id", [1]), ("frames", np.zeros((1, 2, 5), np.float32))):
        assert np.abs(model({**inputs, name: np.array(value)}) - before).max() > 1e-3, name


def test_a_frame_steers_its_own_samples_and_no_others():
    model = small(local_features="log_mel", num_mel_bins=5, frame_step=10, dilation_depth=1, num_stacks=1)
    frames = np.ones((1, 3, 5), np.float32)
    changed = frames.copy()
    changed[0, 1] = 0
    ids = np.full((1, 30), SILENCE_ID)
    difference = np.abs(model({"audio_ids": ids, "frames": frames}) - model({"audio_ids": ids, "frames": changed}))
    moved = np.flatnonzero(difference.max(axis=-1)[0] > 1e-6)
    assert moved.min() == 10
    # Samples 10 to 19: a single layer adds the condition to its own output only.
    assert moved.max() == 19


def test_a_feature_is_named_once():
    with pytest.raises(pydantic.ValidationError, match="condition_on must name each feature once"):
        WaveNetSettings(condition_on=("label", "label"))


def sines(rows: int, length: int, seed: int) -> np.ndarray:
    """Levels of one tone, ten periods in 200 samples, at random phases: what comes next follows from what was."""
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, (rows, 1))
    return np.asarray(mu_law_encode(0.8 * np.sin(2 * np.pi * np.arange(length) / 20 + phases)))


def test_learns_a_sine_and_goes_on_with_it():
    keras.utils.set_random_seed(1)
    settings = WaveNetSettings(**{**SMALL, "hidden_dim": 16, "skip_dim": 32, "condition_on": []})
    model = WaveNet(settings, {})
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    levels = sines(256, 100, seed=1)
    model.fit({"audio_ids": levels[:, :-1]}, levels[:, 1:], batch_size=16, epochs=8, verbose=0)

    heard = sines(1, 120, seed=2)
    logits = np.asarray(model({"audio_ids": heard[:, :-1]}))
    losses = keras.ops.sparse_categorical_crossentropy(heard[:, 30:], logits[:, 29:], from_logits=True)
    assert np.mean(losses) / math.log(2) < 2, "8 bits would be a guess"
    # The most probable level each time, five periods on: twenty samples later it is where it was.
    for _ in range(100):
        heard = np.append(heard, [[np.argmax(model({"audio_ids": heard[:, -30:]})[0, -1])]], axis=1)
    spectrum = np.abs(np.fft.rfft(heard[0, -100:] - 128.0))
    assert np.argmax(spectrum) == 5
