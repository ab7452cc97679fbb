"""Sound: quantized, cut into chunks, learned, generated and exported."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from models.audio import SILENCE_ID, mu_law_decode, mu_law_encode
from models.export import check_ops, export
from models.registry import TASKS
from models.tasks.audio_generation import BitsPerSample
from models.tokenizers.vocabularies import Vocabularies
from models.training import train
from tests.models.conftest import examples_of, run_settings
from tests.models.xla import without_xla

RATE = 1000
MODEL = {"architecture": "wavenet", "hidden_dim": 16, "skip_dim": 32, "dilation_depth": 5, "num_stacks": 1}
TONES = {"high": 100, "low": 40}


def settings_of(model: dict | None = None, **training):
    return run_settings(
        "audio_generation",
        {**MODEL, **(model or {})},
        training={"batch_size": 8, "chunk_length": 256, **training},
        audio={"sample_rate": RATE},
    )


def tone(label: str, seconds: float = 0.4, phase: float = 0.0) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    return (0.8 * np.sin(2 * np.pi * TONES[label] * time + phase)).astype(np.float32)


def write(clips: list[tuple[str, np.ndarray]], file, vocabularies: Vocabularies) -> str:
    with tf.io.TFRecordWriter(str(file), "GZIP") as writer:
        for label, audio in clips:
            raw = {"audio": tf.constant([audio]), "label": tf.constant([[label]]), "speaker": tf.constant([[""]])}
            example = tf.train.Example()
            for name, value in TASKS["audio_generation"].code().preprocess(raw, vocabularies).items():
                numbers = value.values if isinstance(value, tf.SparseTensor) else value
                example.features.feature[name].int64_list.value.extend(numbers.numpy().tolist())
            writer.write(example.SerializeToString())
    return str(file)


def vocabularies_of(settings) -> Vocabularies:
    return Vocabularies(settings.tokenizer, {}, {"label": ["high", "low"], "speaker": [""]})


# === Chunks ===


def test_a_chunk_has_its_receptive_field_before_it_and_weighs_only_itself(tmp_path):
    settings = settings_of({"dilation_depth": 2}, chunk_length=10)
    assert settings.model.receptive_field == 5
    audio = mu_law_decode(tf.range(100, 125)).numpy()
    file = write([("low", audio)], tmp_path / "clips.gz", vocabularies_of(settings))
    chunks = list(examples_of(file, settings).as_numpy_iterator())
    assert [right.tolist() for _, right, _ in chunks] == [
        list(range(100, 110)),
        list(range(106, 120)),
        list(range(116, 125)),
    ]
    assert [inputs["audio_ids"][0] for inputs, _, _ in chunks] == [SILENCE_ID, 105, 115]
    assert [weights.tolist() for _, _, weights in chunks] == [[1] * 10, [0] * 4 + [1] * 10, [0] * 4 + [1] * 5]
    assert {int(inputs["label_id"]) for inputs, _, _ in chunks} == {1}


def test_a_chunk_predicts_what_the_whole_clip_does(tmp_path):
    from models.training import build_model

    settings = settings_of({"dilation_depth": 3}, chunk_length=20)
    vocabularies = vocabularies_of(settings)
    model = build_model(settings, vocabularies)
    audio = np.random.default_rng(1).uniform(-1, 1, 75).astype(np.float32)
    levels = mu_law_encode(tf.constant(audio)).numpy()
    whole = model({"audio_ids": np.concatenate([[SILENCE_ID], levels[:-1]])[np.newaxis]})[0]
    file = write([("low", audio)], tmp_path / "clips.gz", vocabularies)
    parts = [
        model({"audio_ids": inputs["audio_ids"][np.newaxis]})[0][weights > 0]
        for inputs, _, weights in examples_of(file, settings).as_numpy_iterator()
    ]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)


def test_every_sample_counts_the_same_in_whatever_batch():
    metric = BitsPerSample()
    even, sure = np.zeros((1, 6, 256), np.float32), np.zeros((2, 2, 256), np.float32)
    sure[:, :, 0] = 1000
    metric.update_state(np.zeros((1, 6)), even, np.array([[0, 1, 1, 1, 0, 0]], np.float32))
    metric.update_state(np.zeros((2, 2)), sure, np.array([[1, 0], [0, 0]], np.float32))
    assert float(metric.result()) == pytest.approx(3 * 8 / 4)


# === Learning, generating, exporting ===


@pytest.fixture(scope="module")
def two_tones(tmp_path_factory):
    """A model that learned two tones by their labels, exported; with its signatures in Keras."""
    folder = tmp_path_factory.mktemp("two_tones")
    settings = settings_of({"condition_on": ["label"]}, epochs=15, learning_rate=0.005, early_stopping_patience=0)
    vocabularies = vocabularies_of(settings)
    rng = np.random.default_rng(1)
    clips = [(label, tone(label, phase=rng.uniform(0, 6))) for label in itertools.islice(itertools.cycle(TONES), 64)]
    train_file = write(clips, folder / "train.gz", vocabularies)
    eval_file = write(clips[:8], folder / "eval.gz", vocabularies)
    model, state = train(settings, vocabularies, [train_file], [eval_file], str(folder / "checkpoints"))
    export(model, settings, vocabularies, str(folder / "model"), {"code_version": "0", "metrics": {}})
    signatures = TASKS["audio_generation"].code().signatures(model, vocabularies, settings)
    return folder / "model", tf.saved_model.load(str(folder / "model")).signatures, signatures, state


def ask(signature, labels, num_samples, temperature=0.5, seeds=None):
    rows = len(labels)
    return signature(
        label=tf.constant(labels),
        num_samples=tf.constant(np.broadcast_to(num_samples, rows).copy(), tf.int32),
        temperature=tf.fill([rows], temperature),
        seed=tf.constant(list(seeds or range(rows)), tf.int32),
    )


def pitch(audio: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(audio))) * RATE / len(audio))


def test_two_tones_are_learned_and_generated_by_label(two_tones):
    _, loaded, _, state = two_tones
    assert state.best_metrics["val_bits_per_sample"] < 3
    labels = [*TONES] * 16
    audio = ask(loaded["serving_default"], labels, 800)["audio"].numpy()
    # A draw may begin with the other tone and stay there.
    right = {
        label: sum(abs(pitch(row[300:]) - TONES[label]) < 8 for row in audio[place::2])
        for place, label in enumerate(TONES)
    }
    assert min(right.values()) > 9, right


def test_the_exported_model_scores_and_draws_as_keras_does(two_tones):
    _, loaded, signatures, _ = two_tones
    audio = tf.constant([tone("high"), tone("low")])
    lengths = tf.constant([400, 300])
    exported = loaded["score"](audio=audio, num_samples=lengths, label=tf.constant(["high", "low"]))
    in_keras = signatures.score(audio, lengths, tf.constant(["high", "low"]))
    np.testing.assert_allclose(exported["log_prob"], in_keras["log_prob"], rtol=1e-4)
    ours = signatures.predict(tf.constant([60]), tf.constant([0.0]), tf.constant([1]), tf.constant(["low"]))
    np.testing.assert_allclose(ask(loaded["serving_default"], ["low"], 60, 0.0)["audio"], ours["audio"], atol=1e-6)


def test_padding_and_batch_mates_change_no_score(two_tones):
    _, loaded, _, _ = two_tones
    alone = loaded["score"](
        audio=tf.constant([tone("low")[:200]]), num_samples=tf.constant([200]), label=tf.constant(["low"])
    )
    rows = np.stack([tone("high"), np.concatenate([tone("low")[:200], np.full(200, 0.7, np.float32)])])
    both = loaded["score"](
        audio=tf.constant(rows), num_samples=tf.constant([400, 200]), label=tf.constant(["high", "low"])
    )
    np.testing.assert_allclose(both["log_prob"][1], alone["log_prob"][0], rtol=1e-4)


def test_the_wrong_label_costs_bits(two_tones):
    _, loaded, _, _ = two_tones
    # The first clip of the training: of another phase than any of them even the right label costs much.
    right_label, wrong_label = TONES
    clip = tone(right_label, phase=np.random.default_rng(1).uniform(0, 6))
    audio, lengths = tf.constant([clip] * 2), tf.constant([400, 400])
    right, wrong = loaded["score"](audio=audio, num_samples=lengths, label=tf.constant([right_label, wrong_label]))[
        "bits_per_sample"
    ]
    assert wrong > 1.5 * right


def test_a_seed_decides_the_clip_whatever_is_asked_beside_it(two_tones):
    signature = two_tones[1]["serving_default"]
    alone = ask(signature, ["low"], 120, 1.0, [5])["audio"].numpy()[0]
    again = ask(signature, ["low"], 120, 1.0, [5])["audio"].numpy()[0]
    other = ask(signature, ["low"], 120, 1.0, [6])["audio"].numpy()[0]
    np.testing.assert_array_equal(alone, again)
    assert np.abs(alone - other).max() > 0
    beside = ask(signature, ["high", "low", "high"], [700, 120, 30], 1.0, [1, 5, 9])["audio"].numpy()
    # A rounding error may move one draw in many; the first ones agree to the last bit.
    np.testing.assert_array_equal(beside[1, :60], alone[:60])


def test_each_clip_has_the_length_asked_for_and_silence_behind_it(two_tones):
    answer = ask(two_tones[1]["serving_default"], ["low", "high", "low"], [700, 20, 501], 1.0)
    audio = answer["audio"].numpy()
    assert audio.shape == (3, 700)
    assert np.abs(audio).max() <= 1
    assert not audio[1, 20:].any()
    assert not audio[2, 501:].any()
    assert audio[2, :501].any()
    assert answer["sample_rate"].numpy().tolist() == [RATE] * 3


def test_a_label_left_open_is_chosen_by_the_seed(two_tones):
    answer = ask(two_tones[1]["serving_default"], ["", "", "high"], 300, 1.0, [2, 3, 3])
    assert answer["label"].numpy().tolist() == [b"high", b"low", b"high"]
    named = ask(two_tones[1]["serving_default"], ["high", "low", "high"], 300, 1.0, [2, 3, 3])
    np.testing.assert_array_equal(answer["audio"], named["audio"])


def test_an_unknown_label_is_refused_with_the_known_ones(two_tones):
    with pytest.raises(tf.errors.InvalidArgumentError, match="label must be one of: high, low"):
        ask(two_tones[1]["serving_default"], ["middle"], 10)


def test_the_graph_holds_only_ops_of_a_stock_server(two_tones):
    check_ops(str(two_tones[0]))


def test_a_server_that_refuses_xla_gives_the_same_clips(two_tones):
    signature = two_tones[1]["serving_default"]
    compiled = ask(signature, ["low", "high", "low"], [60, 700, 30], 0.5)["audio"].numpy()
    with without_xla():
        # Loaded anew: what was compiled before would go on being used.
        signature = tf.saved_model.load(str(two_tones[0])).signatures["serving_default"]
        plain = ask(signature, ["low", "high", "low"], [60, 700, 30], 0.5)["audio"].numpy()
    np.testing.assert_allclose(plain[:, :60], compiled[:, :60], atol=1e-6)
    assert plain.shape == compiled.shape


def test_evaluation_reads_raw_examples(two_tones):
    _, loaded, _, _ = two_tones
    example = tf.train.Example()
    example.features.feature["audio"].float_list.value.extend(tone("high"))
    example.features.feature["label"].bytes_list.value.append(b"high")
    other = tf.train.Example.FromString(example.SerializeToString())
    del other.features.feature["audio"].float_list.value[100:]
    answer = loaded["examples"](examples=tf.constant([one.SerializeToString() for one in (example, other)]))
    assert answer["num_samples"].numpy().tolist() == [400, 100]
    direct = loaded["score"](
        audio=tf.constant([tone("high")]), num_samples=tf.constant([400]), label=tf.constant(["high"])
    )
    np.testing.assert_allclose(answer["log_prob"][0], direct["log_prob"][0], rtol=1e-4)


def test_behind_the_last_frame_the_label_still_steers():
    """A recording of 40 samples is spoken again, and then 80 more: the labels differ there too."""
    model = {"condition_on": ["label"], "local_features": "log_mel", "num_mel_bins": 5, "frame_step": 10}
    settings = settings_of({**model, "dilation_depth": 2})
    vocabularies, code = vocabularies_of(settings), TASKS["audio_generation"].code()
    built = code.build(settings, vocabularies)
    rng = np.random.default_rng(4)
    built.set_weights([rng.normal(0, 0.4, weight.shape) for weight in built.get_weights()])

    def spoken(labels: list[str]) -> np.ndarray:
        signatures = code.signatures(built, vocabularies, settings)
        asked = (tf.constant([120, 120]), tf.zeros([2]), tf.constant([1, 1]), tf.constant(labels))
        return signatures.revoice(tf.zeros([2, 40]), *asked)["audio"].numpy()[0]

    assert np.abs(spoken(["high", "high"]) - spoken(["low", "low"]))[60:].max() > 0
    # What steers behind the frames is the label alone.
    steering = built.conditions_of({"label_id": tf.constant([1]), "frames": tf.ones([1, 4, 5])}, 1)
    assert steering["frames"].shape[1] == 40
    assert np.abs(steering["steady"]).max() > 1e-3
