"""Settings of the masking section."""

from typing import Self

import pydantic

from models.settings import Settings


class MaskingSettings(Settings):
    """What is hidden of a text, to be guessed (Devlin et al., 2019, section 3.1)."""

    share: float = pydantic.Field(0.15, gt=0, le=1)
    """Share of the pieces of a text that are to be guessed, one at least; drawn anew for each text in each epoch."""
    mask_share: float = pydantic.Field(0.8, ge=0, le=1)
    """Share of those in whose place [MASK] stands."""
    random_share: float = pydantic.Field(0.1, ge=0, le=1)
    """Share of those in whose place any piece stands; the rest stay as they are."""
    next_sentence: bool = True
    """Show two parts of a document, or of two, and let the model tell whether the second follows the first: true for
    half of them. Needs documents of several sentences; those of one are read without a second part."""

    @pydantic.model_validator(mode="after")
    def _shares_leave_none_out(self) -> Self:
        if self.mask_share + self.random_share > 1:
            raise ValueError(
                "masking.mask_share and masking.random_share are shares of the same pieces, 1 together at most. "
                f"Received: {self.mask_share} and {self.random_share}."
            )
        return self
