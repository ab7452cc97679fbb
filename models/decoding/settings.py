"""Settings of the decoding section."""

import pydantic

from models.settings import Settings


class DecodingSettings(Settings):
    """How a target is searched for. Requests to the `generate` signature can say otherwise."""

    beam_width: int = pydantic.Field(1, ge=1, le=64)
    """Candidates kept at each step; 1 is greedy search."""
    length_penalty: float = pydantic.Field(0.6, ge=0)
    """Exponent alpha of Wu et al. (2016), eq. 14: 0 prefers short targets, larger values longer ones."""
    max_length: int = pydantic.Field(64, ge=1)
    """Tokens of a target at most."""
