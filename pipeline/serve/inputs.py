"""What a person hands over to be asked about, by kind of feature."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.features import Feature
from pipeline.config.config import Config
from pipeline.errors import ConfigError


@dataclasses.dataclass(frozen=True)
class _ByHand:
    """How people and programs tell each other a value of a kind.

    Attributes:
        read: what stands on the command line to the value of a row.
        worded: the value to what is said of it.
    """

    read: Callable[[str, Config], Any]
    worded: Callable[[Any, Config], str]


def _read_recording(name: str, config: Config) -> Any:
    """The recording in a file, float32 (N,), brought to the form that the model learned from."""
    from components.example_gen.readers.wav import decode
    from components.example_gen.records import Unusable
    from components.example_gen.waveforms import conform

    try:
        return conform(*decode(Path(name).read_bytes()), config.audio)
    except OSError as error:
        raise ConfigError(f"{name} cannot be read: {error.strerror}; name a WAV file") from error
    except Unusable as error:
        raise ConfigError(f"{name}: {error}") from error


def _recording(samples: Any, config: Config) -> str:
    return f"a recording of {len(samples) / config.audio.sample_rate:.2f} s"


def _text(value: Any, config: Config) -> str:
    texts = value if isinstance(value, list) else [value]
    return " ".join(text.decode("utf-8", "replace") for text in texts)


_TEXT = _ByHand(lambda text, config: text, _text)
_BY_KIND = {"audio": _ByHand(_read_recording, _recording)}


def read(feature: Feature, given: str, config: Config) -> Any:
    """The value of a feature that stands on the command line: a text as it is, else what is in the file of that name.

    Raises:
        ConfigError: there is no such file, or it cannot be used.
    """
    return _BY_KIND.get(feature.kind, _TEXT).read(given, config)


def worded(feature: Feature, value: Any, config: Config) -> str:
    """A value of a raw example, for people."""
    return _BY_KIND.get(feature.kind, _TEXT).worded(value, config)
