"""What clients may decide about an answer that is searched for or drawn, request by request."""

import dataclasses

from models.decoding.settings import MOST_BEAMS, MOST_CANDIDATES, MOST_TEMPERATURE, MOST_TOKENS
from models.request_settings import RequestSetting

# A minute at 16 kHz.
MOST_SAMPLES = 2**20
# Stands between the stop strings of a request: the unit separator, which no text to stop at needs.
STOP_SEPARATOR = "\x1f"
_MOST_STOP_BYTES = 1000
# Tests of a model draw no more: a long text is as much work as it has tokens.
_PROBED_TOKENS = 16

BEAM_SEARCH = (
    RequestSetting("beam_width", "int32", "decoding.beam_width", 1, MOST_BEAMS, "Candidates kept at each step."),
    RequestSetting(
        "length_penalty",
        "float32",
        "decoding.length_penalty",
        -100,
        100,
        "Exponent; larger values prefer longer targets.",
    ),
    RequestSetting("max_length", "int32", "decoding.max_length", 1, MOST_TOKENS, "Tokens of a target at most."),
)

_TEMPERATURE = RequestSetting(
    "temperature",
    "float32",
    1.0,
    0,
    100,
    "1 draws as the model believes, less plays safe, 0 takes the most probable.",
    0,
)
_SEED = RequestSetting(
    "seed", "int32", 0, -(2**31), 2**31 - 1, "The same request with the same seed has the same answer.", 1
)

SOUND = (
    RequestSetting(
        "num_samples",
        "int32",
        "audio.sample_rate",
        1,
        MOST_SAMPLES,
        "Length in samples.",
        probe=200,
        spoken="seconds",
        spoken_unit="audio.sample_rate",
    ),
    _TEMPERATURE,
    _SEED,
)

TEXT_SAMPLING = (
    dataclasses.replace(_TEMPERATURE, default="decoding.temperature", most=MOST_TEMPERATURE),
    RequestSetting(
        "top_k", "int32", "decoding.top_k", 0, MOST_CANDIDATES, "Draws among so many tokens, the best; 0 among all."
    ),
    RequestSetting(
        "top_p",
        "float32",
        "decoding.top_p",
        0,
        1,
        "Draws among the fewest tokens, the best, that have this probability; 1 among all.",
    ),
    RequestSetting(
        "max_length",
        "int32",
        "decoding.max_length",
        1,
        MOST_TOKENS,
        "Tokens drawn at most.",
        probe=_PROBED_TOKENS,
    ),
    _SEED,
    RequestSetting(
        "stop",
        "string",
        "",
        0,
        _MOST_STOP_BYTES,
        "Texts at which to stop, and which are cut off; several are separated by the character U+001F.",
    ),
)
