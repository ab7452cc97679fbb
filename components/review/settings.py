"""The `clips` section of the configuration file."""

from typing import Self

import pydantic

from models.settings import Settings, a_path, only_for, only_with


class ClipReviewSettings(Settings):
    """Clips that the trained model generates for people to hear, and who judges them."""

    per_label: int = pydantic.Field(default=3, ge=0, le=1000)
    """Clips generated for each label; in all where the model is not conditioned on labels. 0: none is made."""

    seconds: float | None = pydantic.Field(default=None, gt=0, le=60, json_schema_extra=only_with(per_label=True))
    """Length of the clips, in seconds. Empty: the median length of the held-out recordings."""

    temperature: float = pydantic.Field(default=1.0, ge=0, json_schema_extra=only_with(per_label=True))
    """1 draws as the model believes, less plays safe, 0 takes the most probable level."""

    seed: int = pydantic.Field(default=0, ge=0, lt=2**30, json_schema_extra=only_with(per_label=True))
    """Seed of the first clip; each further one has the next."""

    recognizer: str = pydantic.Field("", json_schema_extra=only_with(per_label=True) | a_path())
    """Folder of a pushed model of task audio_classification, such as outputs/serving/digits_recognizer, whose newest
    version says what it hears in the clips. Empty: clips are not judged. Paths as in data."""

    min_recognized: float | None = pydantic.Field(default=None, ge=0, le=1, json_schema_extra=only_for("asked_label"))
    """Least share of the clips, 0 to 1, in which the recognizer must hear the label that was asked for; a model below
    it is not pushed. Empty: any."""

    @property
    def makes_samples(self) -> bool:
        """Whether there is anything to review."""
        return self.per_label > 0

    @pydantic.model_validator(mode="after")
    def _share_is_measured(self) -> Self:
        if self.min_recognized is not None and not (self.recognizer and self.per_label):
            missing = "clips.per_label of 1 or more" if self.recognizer else "clips.recognizer"
            raise ValueError(
                f"clips.min_recognized needs {missing}: nothing else says what is heard in the clips. "
                f"Received: clips.min_recognized {self.min_recognized}. Set it, or leave clips.min_recognized empty"
            )
        return self
