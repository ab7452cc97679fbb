"""Asks a running server for sound, or about sound."""

import re
from pathlib import Path

from components.example_gen.readers.wav import decode
from components.example_gen.records import Unusable
from components.example_gen.waveforms import conform
from components.review.clips.wav import wav_bytes
from pipeline.config.config import Config
from pipeline.errors import ConfigError
from pipeline.serve.ask import asking
from serving.errors import InvalidRequestError

_UNKNOWN_VALUE = re.compile(r"\[(label|speaker) must be one of: (.*?)\. Received another")


def generate_clip(
    config: Config,
    out: Path,
    label: str = "",
    speaker: str = "",
    seconds: float = 1.0,
    temperature: float = 1.0,
    seed: int = 0,
    port: int | None = None,
) -> str:
    """Has a clip generated and writes it as WAV, 16 bit.

    Args:
        config: names the model and the address.
        out: the file.
        label: what is spoken or played, for a model that is conditioned on labels; empty: anything.
        speaker: who speaks, for a model that is conditioned on speakers; empty: anyone.
        seconds: length.
        temperature: 1 draws as the model believes, less plays safe.
        seed: the same seed gives the same clip.
        port: where it is not the configured one.

    Returns:
        A line that says what was written.

    Raises:
        ConfigError: a condition has no use, the model does not know its value, or the file cannot be written.
    """
    given = {"label": label, "speaker": speaker}
    _check_conditions(config, given)
    labels, speakers = ([value] if name in config.model.condition_on else [] for name, value in given.items())
    num_samples = max(1, round(seconds * config.audio.sample_rate))
    try:
        with asking(config, port) as client:
            [clip] = client.generate_audio(num_samples, [seed], temperature, labels, speakers)
    except InvalidRequestError as error:
        # The sentence of the graph, without TensorFlow's account of the place.
        if not (rule := _UNKNOWN_VALUE.search(str(error))):
            raise
        raise ConfigError(f"--{rule[1]} must be one of: {rule[2]}. Received: {given.get(rule[1])}") from error
    try:
        out.write_bytes(wav_bytes(clip.samples, clip.sample_rate))
    except OSError as error:
        raise ConfigError(f"{out} cannot be written: {error.strerror}; name another file with --out") from error
    spoken = "".join(f"{value}, " for value in clip.conditions.values())
    return f"Wrote {out}: {spoken}{num_samples / clip.sample_rate:.2f} s at {clip.sample_rate} Hz"


def _check_conditions(config: Config, given: dict[str, str]) -> None:
    for name, value in given.items():
        if value and name not in config.model.condition_on:
            raise ConfigError(f"the model is not conditioned on the {name}; leave --{name} {value} out")


def classify_clip(config: Config, path: Path, port: int | None = None) -> tuple[str, dict[str, float]]:
    """The label of a recording, brought to the form that the model learned from, and all scores.

    Raises:
        ConfigError: the file is no recording that can be used.
    """
    try:
        samples = conform(*decode(path.read_bytes()), config.audio)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; name a WAV file") from error
    except Unusable as error:
        raise ConfigError(f"{path}: {error}") from error
    with asking(config, port) as client:
        answer = client.classify_audio(samples)
    return answer.label, answer.scores
