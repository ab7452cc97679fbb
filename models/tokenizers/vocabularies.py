"""The vocabularies of a task: learned once, saved as files a person can read, loaded by training and export alike."""

import dataclasses
import functools
import json
import pathlib

import tensorflow as tf

from models.tokenizers.byte import ByteTokenizer
from models.tokenizers.character import CharacterTokenizer
from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.tokenizer import Tokenizer
from models.tokenizers.word import WordTokenizer
from models.tokenizers.wordpiece import WordPieceTokenizer

TOKENIZERS: dict[str, type[Tokenizer]] = {
    "word": WordTokenizer,
    "wordpiece": WordPieceTokenizer,
    "character": CharacterTokenizer,
    "byte": ByteTokenizer,
}


def split_units(texts: tf.Tensor, settings: TokenizerSettings) -> tf.RaggedTensor:
    """Cuts raw texts, string (B,), into the normalised units that are counted: string ragged (B, U)."""
    return TOKENIZERS[settings.unit].split(Tokenizer.normalize(texts, settings))


def learn_vocabulary(counts: dict[str, int], settings: TokenizerSettings) -> list[str]:
    """Learns the pieces of a vocabulary, special tokens first, from the counts of units."""
    return TOKENIZERS[settings.unit].learn(counts, settings)


def least_vocabulary_size(counts: dict[str, int], settings: TokenizerSettings) -> int:
    """The `vocabulary_size` at which all characters of these units are known; 0 where none is large enough."""
    return TOKENIZERS[settings.unit].least_size(counts)


@dataclasses.dataclass(frozen=True)
class Vocabularies:
    """Pieces of every text feature and the values of every label feature, as one folder of text files.

    Attributes:
        settings: the tokenizer section.
        pieces: text feature to its pieces; the position is the token id.
        categories: label feature to its values, sorted; the position is the id.
    """

    settings: TokenizerSettings
    pieces: dict[str, list[str]]
    categories: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    @property
    def labels(self) -> list[str]:
        """Values of the feature `label`; empty where the task has none."""
        return self.categories.get("label", [])

    @functools.cached_property
    def tokenizers(self) -> dict[str, Tokenizer]:
        """Text feature to its tokenizer."""
        return {name: TOKENIZERS[self.settings.unit](pieces, self.settings) for name, pieces in self.pieces.items()}

    def tokenizer(self, feature: str) -> Tokenizer:
        """The tokenizer of a text feature."""
        return self.tokenizers[feature]

    def label_ids(self, labels: tf.Tensor, feature: str = "label") -> tf.Tensor:
        """Looks up values of a label feature: string (B,) to int64 (B,); -1 for one that training did not see."""
        known = tf.constant(self.categories[feature])
        matches = labels[:, tf.newaxis] == known[tf.newaxis, :]
        found = tf.argmax(tf.cast(matches, tf.int32), axis=-1)
        return tf.where(tf.reduce_any(matches, axis=-1), found, -1)

    def save(self, directory: str) -> None:
        """Writes `tokenizer.json`, and for each feature `<feature>.vocabulary.json` or `<feature>.categories.json`."""
        folder = pathlib.Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tokenizer.json").write_text(self.settings.model_dump_json(indent=1), encoding="utf-8")
        for feature, pieces in self.pieces.items():
            _write_list(folder / f"{feature}.vocabulary.json", pieces)
        for feature, values in self.categories.items():
            _write_list(folder / f"{feature}.categories.json", values)

    @classmethod
    def load(cls, directory: str) -> "Vocabularies":
        """Reads what `save` wrote."""
        folder = pathlib.Path(directory)
        pieces, categories = (
            {file.name.split(".")[0]: _read_list(file) for file in sorted(folder.glob(f"*.{kind}.json"))}
            for kind in ("vocabulary", "categories")
        )
        settings = TokenizerSettings.model_validate_json((folder / "tokenizer.json").read_text(encoding="utf-8"))
        return cls(settings, pieces, categories)


# JSON, one piece a line: pieces may be line breaks or blanks themselves, which a plain text file would lose.
def _write_list(file: pathlib.Path, items: list[str]) -> None:
    file.write_text(json.dumps(items, ensure_ascii=False, indent=0), encoding="utf-8")


def _read_list(file: pathlib.Path) -> list[str]:
    return json.loads(file.read_text(encoding="utf-8"))
