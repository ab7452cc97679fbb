"""What clients may decide about an answer that is searched for or drawn, request by request."""

from models.decoding.settings import MOST_BEAMS, MOST_TOKENS
from models.request_settings import RequestSetting

# A minute at 16 kHz.
MOST_SAMPLES = 2**20

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
