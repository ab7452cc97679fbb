"""Settings of the decoding section."""

import pydantic

from models.settings import Settings, only_for

MOST_BEAMS = 64
"""Beams of a search at most, whoever asks."""
MOST_TOKENS = 1024
"""Tokens of a target at most, whoever asks."""
MOST_PENALTY = 100.0
"""Exponent of the length penalty at most, whoever asks."""


class DecodingSettings(Settings):
    """How a target is searched for. Requests to the `generate` signature can say otherwise."""

    beam_width: int = pydantic.Field(1, ge=1, le=MOST_BEAMS)
    """Candidates kept at each step; 1 is greedy search."""
    length_penalty: float = pydantic.Field(0.6, ge=0, le=MOST_PENALTY)
    """Exponent alpha of Wu et al. (2016), eq. 14: 0 prefers short targets, larger values longer ones."""
    coverage_penalty: float = pydantic.Field(0.0, ge=0, allow_inf_nan=False, json_schema_extra=only_for("attention"))
    """Factor beta of Wu et al. (2016), eq. 14: larger values prefer targets that looked at the whole source; 0.2 in the
    paper. Without effect on a beam_width of 1."""
    max_length: int = pydantic.Field(64, ge=1, le=MOST_TOKENS)
    """Tokens of a target at most."""
