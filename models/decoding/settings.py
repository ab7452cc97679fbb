"""Settings of the decoding section."""

import pydantic

from models.settings import Settings, only_for

MOST_BEAMS = 64
"""Beams of a search at most, whoever asks."""
MOST_TOKENS = 1024
"""Tokens of a target at most, whoever asks."""
MOST_PENALTY = 100.0
"""Exponent of the length penalty at most, whoever asks."""
MOST_TEMPERATURE = 100.0
"""Temperature at most, whoever asks."""
MOST_CANDIDATES = 2**20
"""Tokens to draw among at most, whoever asks; more than any vocabulary has."""


class DecodingSettings(Settings):
    """How text is searched for, or drawn. Requests to the `generate` signature can say otherwise."""

    beam_width: int = pydantic.Field(1, ge=1, le=MOST_BEAMS, json_schema_extra=only_for("beam_search"))
    """Candidates kept at each step; 1 is greedy search."""
    length_penalty: float = pydantic.Field(0.6, ge=0, le=MOST_PENALTY, json_schema_extra=only_for("beam_search"))
    """Exponent alpha of Wu et al. (2016), eq. 14: 0 prefers short targets, larger values longer ones."""
    coverage_penalty: float = pydantic.Field(0.0, ge=0, allow_inf_nan=False, json_schema_extra=only_for("attention"))
    """Factor beta of Wu et al. (2016), eq. 14: larger values prefer targets that looked at the whole source; 0.2 in the
    paper. Without effect on a beam_width of 1."""
    max_length: int = pydantic.Field(64, ge=1, le=MOST_TOKENS)
    """Tokens of a target, or of what goes on from a prompt, at most."""
    temperature: float = pydantic.Field(1.0, ge=0, le=MOST_TEMPERATURE, json_schema_extra=only_for("sampling"))
    """1 draws as the model believes, less plays safe, 0 takes the most probable token."""
    top_k: int = pydantic.Field(0, ge=0, le=MOST_CANDIDATES, json_schema_extra=only_for("sampling"))
    """Draw among so many tokens, the most probable ones (Fan et al., 2018). 0: among all."""
    top_p: float = pydantic.Field(1.0, ge=0, le=1, json_schema_extra=only_for("sampling"))
    """Draw among the fewest tokens, the most probable ones, that together have this probability (Holtzman et al.,
    2020). 1: among all."""
