"""The sections of reviews in the configuration file: one for each."""

from typing import Annotated, Self

import pydantic

from models.decoding.settings import MOST_TEMPERATURE, MOST_TOKENS
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


class TextReviewSettings(Settings):
    """Texts that the trained model writes for people to read, beside held-out ones."""

    per_temperature: int = pydantic.Field(default=2, ge=0, le=100)
    """Texts written for each prompt at each temperature. 0: none is made."""

    temperatures: tuple[Annotated[float, pydantic.Field(ge=0, le=MOST_TEMPERATURE)], ...] = pydantic.Field(
        default=(0.5, 0.8, 1.0), min_length=1
    )
    """1 draws as the model believes, less plays safe, 0 takes the most probable token."""

    prompts: tuple[str, ...] = pydantic.Field(default=("",), min_length=1)
    """What the texts go on from; "" begins with nothing."""

    max_length: int = pydantic.Field(default=300, ge=1, le=MOST_TOKENS)
    """Tokens written at most."""

    characters: int = pydantic.Field(default=600, ge=1)
    """Characters of a held-out text that are shown at most."""

    seed: int = pydantic.Field(default=0, ge=0, lt=2**30)
    """Seed of the first text of each temperature; each further one has the next."""

    @property
    def makes_samples(self) -> bool:
        """Whether there is anything to review."""
        return self.per_temperature > 0


class VectorReviewSettings(Settings):
    """What is shown of vectors of words, and the analogies by which they are judged."""

    map_words: int = pydantic.Field(default=200, ge=0, le=5000)
    """Words on the maps (PCA and t-SNE): the most frequent ones of the held-out texts."""

    shown_words: int = pydantic.Field(default=20, ge=0, le=1000)
    """The most frequent of them whose neighbours are listed."""

    neighbors: int = pydantic.Field(default=8, ge=1, le=100)
    """Neighbours of each."""

    seed: int = pydantic.Field(default=0, ge=0, lt=2**31)
    """Seed of the maps."""

    analogies: str = pydantic.Field(default="", json_schema_extra=a_path())
    """File of questions such as Google's questions-words.txt: a line ": GROUP", then four words a line, of which the
    first is to the second as the third is to the fourth. Questions with an unknown word are left out and counted.
    Empty: none are asked."""

    min_analogy_accuracy: float | None = pydantic.Field(default=None, ge=0, le=1)
    """Least share of the covered questions, 0 to 1, that must be answered right by 3CosAdd; a model below it is not
    pushed. Empty: any."""

    @property
    def makes_samples(self) -> bool:
        """Whether there is anything to review."""
        return self.map_words > 0 or bool(self.analogies)

    @pydantic.model_validator(mode="after")
    def _accuracy_is_measured(self) -> Self:
        if self.min_analogy_accuracy is not None and not self.analogies:
            raise ValueError(
                "vectors.min_analogy_accuracy needs vectors.analogies: nothing else asks for analogies. Received: "
                f"vectors.min_analogy_accuracy {self.min_analogy_accuracy}. Name a file, or leave it empty"
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


class MaskedTextReviewSettings(Settings):
    """Held-out texts with hidden pieces, coloured by how probable the trained model finds them."""

    texts: int = pydantic.Field(default=20, ge=0, le=1000)
    """Texts that are shown. 0: no page is made."""

    @property
    def makes_samples(self) -> bool:
        """Whether there is anything to review."""
        return self.texts > 0
