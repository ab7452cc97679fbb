"""The `clips` section of the configuration file."""

from typing import Any, Self

import pydantic

from components.example_gen.settings import expand_variables
from models.settings import Settings, only_for


class ClipReviewSettings(Settings):
    """Clips that the trained model generates for people to hear, and who judges them."""

    per_label: int = pydantic.Field(default=3, ge=0, le=1000)
    """Clips generated for each label; in all where the model is not conditioned on labels. 0: none is made."""

    seconds: float | None = pydantic.Field(default=None, gt=0, le=60)
    """Length of the clips, in seconds. Empty: the median length of the held-out recordings."""

    temperature: float = pydantic.Field(default=1.0, ge=0)
    """1 draws as the model believes, less plays safe, 0 takes the most probable level."""

    seed: int = pydantic.Field(default=0, ge=0, lt=2**30)
    """Seed of the first clip; each further one has the next."""

    recognizer: str = ""
    """Folder of a pushed model of task audio_classification, such as outputs/serving/digits_recognizer, whose newest
    version says what it hears in the clips. Empty: clips are not judged. Paths as in data."""

    min_recognized: float | None = pydantic.Field(default=None, ge=0, le=1, json_schema_extra=only_for("asked_label"))
    """Least share of the clips, 0 to 1, in which the recognizer must hear the label that was asked for; a model below
    it is not pushed. Empty: any."""

    @property
    def makes_samples(self) -> bool:
        """Whether there is anything to review."""
        return self.per_label > 0

    @pydantic.field_validator("recognizer", mode="before")
    @classmethod
    def _expand(cls, value: Any) -> Any:
        return expand_variables(value, "clips.recognizer")

    @pydantic.model_validator(mode="after")
    def _share_is_measured(self) -> Self:
        if self.min_recognized is not None and not (self.recognizer and self.per_label):
            missing = "clips.per_label of 1 or more" if self.recognizer else "clips.recognizer"
            raise ValueError(
                f"clips.min_recognized needs {missing}: nothing else says what is heard in the clips. "
                f"Received: clips.min_recognized {self.min_recognized}. Set it, or leave clips.min_recognized empty"
            )
        return self


class TaggedTextReviewSettings(Settings):
    """Held-out texts with the tags of the trained model beside the right ones, for people to look at."""

    texts: int = pydantic.Field(default=60, ge=0, le=1000)
    """Texts that are shown, those with mistakes first. 0: no page is made."""

    looked_at: int = pydantic.Field(default=1000, ge=1)
    """Held-out texts among which they are chosen."""

    @property
    def makes_samples(self) -> bool:
        """Whether there is anything to review."""
        return self.texts > 0
