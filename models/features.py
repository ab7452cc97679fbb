"""The raw features of an example and their kinds, without TensorFlow."""

import dataclasses
from collections.abc import Iterable
from typing import Literal


@dataclasses.dataclass(frozen=True)
class Kind:
    """What holds for every feature of a kind.

    Attributes:
        stored: list of a tf.Example that holds it: UTF-8 texts, or numbers.
        many: whether an example has any number of values; else exactly one.
        learned: what is learned of it from the train split: the pieces of a tokenizer, its values as whole words and
            their characters, the values that occur, or nothing.
        section: section of the configuration that says how it is read or cut; "" for none.
        length: input of a signature that says how many values of a padded row are real; "" where padding shows by
            itself.
        joined: input of a signature that takes the values as one text, with blanks between them; "" for none.
        spans: whether the values mark spans by the prefixes of a tag scheme (`components.example_gen.tag_schemes`).
        batch_size: examples that may lie in memory together while they are counted.
        numbers: whether whole numbers and truth values, where a format has such, stand for their texts.
        may_be_empty: whether an example may have an empty text, or none, of it.
        noted: whether a reader writes it down by itself; data do not give it, and where the reader has nothing to note
            it is an empty string.
    """

    stored: Literal["bytes", "floats"]
    many: bool = False
    learned: Literal["", "pieces", "words", "categories"] = ""
    section: str = ""
    length: str = ""
    joined: str = ""
    spans: bool = False
    batch_size: int = 2048
    numbers: bool = False
    may_be_empty: bool = False
    noted: bool = False

    def classes(self, values: Iterable[str]) -> list[str]:
        """What figures by class tell apart: the values, or of those that mark spans what stands behind the prefix."""
        return sorted({value.partition("-")[2] for value in values} - {""} if self.spans else set(values))


KINDS: dict[str, Kind] = {
    "text": Kind("bytes", learned="pieces", section="tokenizer"),
    "label": Kind("bytes", learned="categories", numbers=True),
    "tokens": Kind("bytes", many=True, learned="words", section="tokenizer", joined="text"),
    "tags": Kind("bytes", many=True, learned="categories", spans=True, numbers=True),
    # A recording is a thousand times as large as a text.
    "audio": Kind("floats", many=True, section="audio", length="num_samples", batch_size=64),
    # What no model sees, and by which its figures are told apart.
    "column": Kind("bytes", numbers=True, may_be_empty=True),
    # What a reader knows of the place of an example among others.
    "note": Kind("bytes", noted=True),
}


@dataclasses.dataclass(frozen=True)
class Feature:
    """A raw feature of an example.

    Attributes:
        name: key in the raw tf.Example and in `data.columns`.
        kind: key of `KINDS`.
        optional: data may do without it; every example then has an empty string in its place.
        prompt: input of signatures that takes a text to go on from, as which a beginning of this feature will do; ""
            for none.
        aligned_with: name of the feature of which it has one value for each; "" for none.
        hole: what stands in a text, where signatures take it, for a word that is asked for; "" for none.
        borrowed_from: name of the feature whose value in another example of the split it takes; "" for none.
    """

    name: str
    kind: str
    optional: bool = False
    prompt: str = ""
    aligned_with: str = ""
    hole: str = ""
    borrowed_from: str = ""

    @property
    def facts(self) -> Kind:
        """What holds for its kind."""
        return KINDS[self.kind]


def given_features(features: Iterable[Feature]) -> tuple[Feature, ...]:
    """The features that data give: all but those that readers note."""
    return tuple(feature for feature in features if not feature.facts.noted)


def learned_features(features: Iterable[Feature], learned: Literal["pieces", "words", "categories"]) -> tuple[str, ...]:
    """Names of the features of which pieces, words or categories are learned."""
    return tuple(feature.name for feature in features if feature.facts.learned == learned)
