"""Asks the exported model of word vectors, as a client would."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

# Registers the TF Text operations of the model.
import tensorflow_text  # noqa: F401

from models.description import ModelDescription

_BATCH = 512


class Vector(NamedTuple):
    """A known word, as the model writes it, with its vector, float32 (E,)."""

    word: str
    values: np.ndarray


class Asked:
    """An exported model.

    Args:
        model: folder of the SavedModel.

    Attributes:
        name: of the model.
    """

    def __init__(self, model: Path) -> None:
        self.name = ModelDescription.read(model).name
        self._signatures = tf.saved_model.load(str(model)).signatures

    def frequent(self, examples: Path, most: int) -> list[Vector]:
        """The known words that are most frequent in the held-out texts, most frequent first."""
        counts: Counter[str] = Counter()
        vectors: dict[str, np.ndarray] = {}
        for texts in _batches(list(_texts(examples))):
            answer = self._embed(texts)
            known = answer["known"] == 1
            for word, values in zip(answer["words"][known], answer["vectors"][known], strict=True):
                counts[word.decode()] += 1
                vectors[word.decode()] = values
        ordered = sorted(counts, key=lambda word: (-counts[word], word))[:most]
        return [Vector(word, vectors[word]) for word in ordered]

    def known(self, words: Sequence[str]) -> dict[str, str]:
        """Those of the words that are known, each with how the model writes it."""
        found: dict[str, str] = {}
        for batch in _batches(words):
            answer = self._embed(batch)
            single = (answer["words"] != b"").sum(axis=1) == 1
            is_known = single & (answer["known"][:, 0] == 1)
            found |= {word: answer["words"][row, 0].decode() for row, word in enumerate(batch) if is_known[row]}
        return found

    def neighbors(self, words: Sequence[str], k: int) -> list[dict[str, float]]:
        """The nearest words of each, with their cosine similarity."""
        if not words:
            return []
        asked = {"text": tf.constant(words), "k": tf.fill([len(words)], k)}
        answer = {name: value.numpy() for name, value in self._signatures["neighbors"](**asked).items()}
        return [
            {word.decode(): round(float(score), 4) for word, score in zip(*row, strict=True) if word}
            for row in zip(answer["words"], answer["score"], strict=True)
        ]

    def analogies(self, questions: Sequence[Sequence[str]], multiplicative: bool) -> list[str]:
        """The first answer to each question, by its first three words."""
        answers: list[str] = []
        for batch in _batches(questions):
            rows = {name: tf.constant([question[place] for question in batch]) for place, name in enumerate("abc")}
            numbers = {"k": 1, "multiplicative": int(multiplicative)}
            asked = rows | {name: tf.fill([len(batch)], number) for name, number in numbers.items()}
            answers += [word.decode() for word in self._signatures["analogy"](**asked)["words"][:, 0].numpy()]
        return answers

    def _embed(self, texts: Sequence[str | bytes]) -> dict[str, np.ndarray]:
        return {name: value.numpy() for name, value in self._signatures["embed"](text=tf.constant(texts)).items()}


def _batches(items: Sequence) -> Iterator[Sequence]:
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))


def _texts(folder: Path) -> Iterator[bytes]:
    files = sorted(str(path) for path in folder.iterdir() if path.is_file())
    compression = "GZIP" if files and files[0].endswith(".gz") else ""
    for serialized in tf.data.TFRecordDataset(files, compression_type=compression).as_numpy_iterator():
        yield tf.train.Example.FromString(serialized).features.feature["text"].bytes_list.value[0]
