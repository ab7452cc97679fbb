"""Settings of the two architectures that learn vectors of words."""

from typing import Literal

import pydantic

from models.architectures.settings.architecture import ArchitectureSettings


class WordVectorSettings(ArchitectureSettings):
    """What skip-gram and CBOW share."""

    embedding_dim: int = pydantic.Field(100, ge=1)
    """Width of a word's vector."""
    window: int = pydantic.Field(5, ge=1, le=64)
    """Words at most that are looked at on each side. For each word and epoch a number from 1 to this is drawn, so that
    near words count for more (Mikolov et al., 2013a, section 3.2)."""
    negative_samples: int = pydantic.Field(5, ge=1)
    """Noise words for each word that is predicted: k of Mikolov et al. (2013b), eq. 4."""
    noise_exponent: float = pydantic.Field(0.75, ge=0, le=1)
    """Noise words are drawn by their count to the power of this; 1: as often as they stand in the texts."""
    subsampling: float = pydantic.Field(1e-3, ge=0, le=1)
    """Share of all words above which a word is left out now and then, anew in each epoch: t of Mikolov et al. (2013b),
    eq. 5. 0: none is left out."""


class SkipGramSettings(WordVectorSettings):
    """A word predicts each word around it."""

    architecture: Literal["skip_gram"] = "skip_gram"
    """Which architecture this section describes."""


class CbowSettings(WordVectorSettings):
    """The words around a word predict it together."""

    architecture: Literal["cbow"] = "cbow"
    """Which architecture this section describes."""
