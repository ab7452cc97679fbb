"""The vocabularies of a task: learned once, saved as files a person can read, loaded by training and export alike."""

import dataclasses
import functools
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from models.tokenizers.byte import ByteTokenizer
from models.tokenizers.character import CharacterTokenizer
from models.tokenizers.cut_words import CutWords
from models.tokenizers.sentencepiece import SentencePieceTokenizer
from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.tokenizer import Tokenizer
from models.tokenizers.word import WordTokenizer
from models.tokenizers.wordpiece import WordPieceTokenizer

TOKENIZERS: dict[str, type[Tokenizer]] = {
    "word": WordTokenizer,
    "wordpiece": WordPieceTokenizer,
    "sentencepiece": SentencePieceTokenizer,
    "character": CharacterTokenizer,
    "byte": ByteTokenizer,
}

# Last part of a file's name, to what of `Vocabularies` stands in it.
_FILES = {
    "vocabulary": "pieces",
    "categories": "categories",
    "counts": "counts",
    "words": "words",
    "parts": "parts",
    "characters": "characters",
    "gazetteer": "gazetteers",
}


def split_units(texts: tf.Tensor, settings: TokenizerSettings) -> tf.RaggedTensor:
    """Cuts raw texts, string (B,), into the normalised units that are counted: string ragged (B, U)."""
    return TOKENIZERS[settings.unit].split(Tokenizer.normalize(texts, settings))


def learn_vocabulary(counts: dict[str, int], settings: TokenizerSettings) -> list[str]:
    """Learns the pieces of a vocabulary, special tokens first, from the counts of units."""
    return TOKENIZERS[settings.unit].learn(counts, settings)


def counts_of(pieces: Sequence[str], counts: Mapping[str, int]) -> list[int]:
    """How often each piece was counted, 0 where it was not, from the counts of units."""
    return [counts.get(piece, 0) for piece in pieces]


def least_vocabulary_size(counts: dict[str, int], settings: TokenizerSettings) -> int:
    """The `vocabulary_size` at which all characters of these units are known; 0 where none is large enough."""
    return TOKENIZERS[settings.unit].least_size(counts)


@dataclasses.dataclass(frozen=True)
class Vocabularies:
    """Pieces of every text feature and the values of every label feature, as one folder of text files.

    Attributes:
        settings: the tokenizer section.
        pieces: text feature to what the tokenizer learned; the position is the token id.
        categories: label feature to its values, sorted; the position is the id.
        counts: text feature to how often each of its pieces was counted; 0 for one that was not counted by itself, such
            as a part of a word.
        words: feature that is cut into words already to these; the position is the id.
        characters: the same feature to the characters of its words; the position is the id.
        gazetteers: list of names to its names, normalised.
        parts: feature that is cut into words already to the pieces of these words, where a model reads those; the
            position is the id.
    """

    settings: TokenizerSettings
    pieces: dict[str, list[str]]
    categories: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    counts: dict[str, list[int]] = dataclasses.field(default_factory=dict)
    words: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    characters: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    gazetteers: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    parts: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    @property
    def labels(self) -> list[str]:
        """Values of the feature `label`; empty where the task has none."""
        return self.categories.get("label", [])

    @functools.cached_property
    def tokenizers(self) -> dict[str, Tokenizer]:
        """Text feature to its tokenizer."""
        cut, parts = (
            {name: TOKENIZERS[self.settings.unit](pieces, self.settings) for name, pieces in learned.items()}
            for learned in (self.pieces, self.parts)
        )
        return cut | {
            name: CutWords(words, self.characters[name], self.settings, self.gazetteers, parts.get(name))
            for name, words in self.words.items()
        }

    def tokenizer(self, feature: str) -> Tokenizer:
        """The tokenizer of a text feature."""
        return self.tokenizers[feature]

    def label_ids(self, labels: tf.Tensor, feature: str = "label") -> tf.Tensor:
        """Looks up values of a label feature: string (N,) to int64 (N,); -1 for one that training did not see."""
        known = tf.constant(self.categories[feature])
        matches = labels[:, tf.newaxis] == known[tf.newaxis, :]
        found = tf.argmax(tf.cast(matches, tf.int32), axis=-1)
        return tf.where(tf.reduce_any(matches, axis=-1), found, -1)

    def save(self, directory: str) -> None:
        """Writes `tokenizer.json`, and for each feature what is learned of it, as `<feature>.<kind>.json`."""
        folder = pathlib.Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tokenizer.json").write_text(self.settings.model_dump_json(indent=1), encoding="utf-8")
        for kind, field in _FILES.items():
            for feature, items in getattr(self, field).items():
                _write_list(folder / f"{feature}.{kind}.json", items)

    @classmethod
    def load(cls, directory: str) -> "Vocabularies":
        """Reads what `save` wrote."""
        folder = pathlib.Path(directory)
        lists = {
            field: {file.name.split(".")[0]: _read_list(file) for file in sorted(folder.glob(f"*.{kind}.json"))}
            for kind, field in _FILES.items()
        }
        settings = TokenizerSettings.model_validate_json((folder / "tokenizer.json").read_text(encoding="utf-8"))
        return cls(settings, **lists)


# JSON, one piece a line: pieces may be line breaks or blanks themselves, which a plain text file would lose.
def _write_list(file: pathlib.Path, items: Sequence[str | int]) -> None:
    file.write_text(json.dumps(items, ensure_ascii=False, indent=0), encoding="utf-8")


def _read_list(file: pathlib.Path) -> list[Any]:
    return json.loads(file.read_text(encoding="utf-8"))
