"""A real server asked as a person does, with `seqline predict`."""

import wave
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.components.example_gen.recordings import write_wav
from tests.pipeline.serve.served import DATES, DIGITS, EARS, NAMES, seqline, served
from tests.serving import saved_models, task_models


@pytest.fixture
def digits(tmp_path: Path):
    """A generator whose samples all have the level of seed / 100."""
    with served(task_models.save_audio_generator(tmp_path / "saved"), DIGITS, tmp_path) as arguments:
        yield arguments


def test_a_clip_is_generated_and_written(digits: list[str], tmp_path: Path) -> None:
    out = tmp_path / "seven.wav"
    result = seqline("predict", "--label", "seven", "--out", out, "--seconds", 0.5, "--seed", 50, *digits)
    assert result.output == f"Wrote {out}: seven, 0.50 s at 8000 Hz\n"
    with wave.open(str(out)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        samples = np.frombuffer(file.readframes(10_000), "<i2")
    assert samples.tolist() == [round(0.5 * 32767)] * 4000


@pytest.mark.parametrize(
    "arguments",
    [
        ["--with", "label=seven", "--with", "num_samples=4000", "--with", "seed=50"],
        ["--label=seven", "--num-samples", 4000, "--seed=50"],
        ["--seed", 7, "--label", "eight", "--seconds", 0.5, "--with", "seed=50", "--label", "seven"],
    ],
)
def test_an_option_can_be_said_in_several_ways(digits: list[str], tmp_path: Path, arguments: list[object]) -> None:
    out = tmp_path / "seven.wav"
    result = seqline("predict", *arguments, *digits, "--out", out)
    assert result.output == f"Wrote {out}: seven, 0.50 s at 8000 Hz\n"
    with wave.open(str(out)) as file:
        assert set(np.frombuffer(file.readframes(10_000), "<i2")) == {round(0.5 * 32767)}


def test_a_label_need_not_be_named(digits: list[str], tmp_path: Path) -> None:
    out = tmp_path / "any.wav"
    assert seqline("predict", "--out", out, *digits).output.startswith(f"Wrote {out}: ")
    assert out.exists()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--label", "eleven"], "error: --label must be one of: seven, eight. Received: eleven\n"),
        (["--label", "seven", "--speaker", "ann"], "the model is not conditioned on the speaker; leave --speaker ann"),
        (
            ["--nosuch", "1"],
            "predict has no option --nosuch. A model of audio_generation may take: --label, --speaker, ",
        ),
        (["--seconds", "200"], "--seconds must be from 0.000125 to 131.072. Received: 200"),
        (["--seconds", "0"], "--seconds must be from 0.000125 to 131.072. Received: 0"),
        (["--temperature", "-1"], "--temperature must be from 0 to 100. Received: -1"),
        (["--temperature", "nan"], "--temperature must be a number. Received: nan"),
        (["--seed", "1.5"], "--seed must be a whole number. Received: 1.5"),
        (["--with", "label"], "--with must read KEY=VALUE, for example --with seed=1. Received: label"),
        (["--label"], "Option '--label' requires an argument."),
        (["--label", "seven", "--out", "/nowhere/at/all.wav"], "/nowhere/at/all.wav cannot be written"),
    ],
)
def test_what_cannot_be_is_said(digits: list[str], arguments: list[str], problem: str) -> None:
    result = seqline("predict", *digits, *arguments)
    assert result.exit_code == 2
    assert problem in " ".join(result.stderr.replace("│", "").split()) + "\n"


def test_recordings_are_classified(tmp_path: Path) -> None:
    loud, quiet = (write_wav(tmp_path / f"{level}.wav", np.full(800, level), rate=8000) for level in (0.9, 0.1))
    with served(task_models.save_audio_classifier(tmp_path / "saved"), EARS, tmp_path) as arguments:
        result = seqline("predict", loud, quiet, *arguments)
        assert result.output.splitlines() == [
            "loud  (loud 0.750, quiet 0.250)",
            "quiet  (quiet 0.750, loud 0.250)",
        ]
        (tmp_path / "text.wav").write_text("no sound")
        refused = seqline("predict", tmp_path / "text.wav", *arguments)
        assert (refused.exit_code, "text.wav: " in refused.stderr) == (2, True)
        assert "nothing.wav cannot be read" in seqline("predict", tmp_path / "nothing.wav", *arguments).stderr


@pytest.fixture
def dates(tmp_path: Path):
    """A model whose targets are numbered copies of the source."""
    with served(task_models.save_text_to_text(tmp_path / "saved"), DATES, tmp_path) as arguments:
        yield arguments


def test_texts_are_transformed_one_line_each(dates: list[str]) -> None:
    assert seqline("predict", "a", "b", *dates).output == "a0\nb0\n"
    assert seqline("predict", *dates, "--", "--a", "b").output == "--a0\nb0\n", "no option after --"


def test_the_signature_that_takes_what_is_given_is_asked(dates: list[str]) -> None:
    assert seqline("predict", "abc", "--beam_width", 3, "--max_length", 2, *dates).output == "ab0\n", "generate"
    shown = seqline("predict", "a b", "--target", "c", *dates).output
    assert shown == "source_pieces [a, b]  target_pieces [c, [END]]  weights [[1, 0], [0, 1]]\n", "attend"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "predict takes what to ask: seqline predict TEXT..."),
        (["--beam_width", "4"], "predict takes what to ask: seqline predict TEXT..."),
        (["a", "--beam_width", "65"], "--beam_width must be from 1 to 64. Received: 65"),
        (["a", "--max_length", "9", "--target", "b"], "no signature of digits takes just what was given"),
    ],
)
def test_what_a_signature_lacks_is_said(dates: list[str], arguments: list[str], problem: str) -> None:
    result = seqline("predict", *arguments, *dates)
    assert (result.exit_code, problem in result.stderr) == (2, True), result.output


def save_parrot(folder: Path) -> Path:
    """Speaks recordings again, as loud as the temperature says, and tells how long they are."""
    sound, numbers = tf.TensorSpec([None, None], tf.float32, "audio"), tf.TensorSpec([None], tf.int32, "num_samples")
    temperature, seed = tf.TensorSpec([None], tf.float32, "temperature"), tf.TensorSpec([None], tf.int32, "seed")

    @tf.function(input_signature=[sound, numbers, temperature, seed])
    def copy(audio, num_samples, temperature, seed):
        spoken = audio[:, : tf.reduce_max(num_samples)] * temperature[:, tf.newaxis]
        return {"audio": spoken, "sample_rate": tf.fill(tf.shape(num_samples), 8000)}

    @tf.function(input_signature=[sound, numbers])
    def score(audio, num_samples):
        return {"log_prob": -tf.cast(num_samples, tf.float32) / 8, "num_samples": num_samples}

    return saved_models.save(folder, serving_default=copy, score=score)


def test_recordings_are_spoken_again_in_their_own_length(tmp_path: Path) -> None:
    long, short = (write_wav(tmp_path / f"{size}.wav", np.full(size, 0.5), rate=8000) for size in (800, 400))
    out = tmp_path / "again.wav"
    with served(save_parrot(tmp_path / "saved"), DIGITS.replace("[label]", "[]"), tmp_path) as arguments:
        result = seqline("predict", long, short, "--temperature", 0.5, "--out", out, *arguments)
        assert result.output.splitlines() == [
            f"Wrote {tmp_path}/again-1.wav: 0.10 s at 8000 Hz",
            f"Wrote {tmp_path}/again-2.wav: 0.05 s at 8000 Hz",
        ]
        one = seqline("predict", long, "--seconds", 0.025, "--out", out, *arguments)
        assert one.output == f"Wrote {out}: 0.03 s at 8000 Hz\n"
    with wave.open(str(tmp_path / "again-2.wav")) as file:
        levels = np.frombuffer(file.readframes(1000), "<i2")
    assert (len(levels), levels.min(), levels.max()) == (400, pytest.approx(8192, abs=2), pytest.approx(8192, abs=2))


def test_a_recording_is_scored_by_a_generator_that_takes_none(tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "a.wav", np.full(800, 0.5), rate=8000)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, "num_samples")])
    def generate(num_samples):
        return {"audio": tf.zeros([1, 1]), "sample_rate": num_samples}

    parrot = tf.saved_model.load(str(save_parrot(tmp_path / "parrot")))
    model = saved_models.save(tmp_path / "saved", serving_default=generate, score=parrot.signatures["score"])
    with served(model, DIGITS.replace("[label]", "[]"), tmp_path) as arguments:
        assert seqline("predict", recording, *arguments).output == "log_prob -100  num_samples 800\n"


def test_a_text_is_tagged_word_by_word(tmp_path: Path) -> None:
    with served(task_models.save_sequence_labeler(tmp_path / "saved"), NAMES, tmp_path) as arguments:
        result = seqline("predict", "Ada Lee was in London", *arguments)
        assert result.output == "Ada    Lee    was in London\nB-name I-name O   O  B-name\n"
