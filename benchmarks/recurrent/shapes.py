"""The models that are measured, as settings of a run. Importing this does not import TensorFlow."""

from dataclasses import dataclass
from typing import Any

from models.run_settings import RunSettings
from models.tokenizers.special import SPECIAL_TOKENS


@dataclass(frozen=True)
class Shape:
    """A model, and the batches that it learns from.

    Attributes:
        task: Key of `models.registry.TASKS`.
        model: Section `model`, without dropout: what is drawn for it differs from library to library.
        batch_size: Rows of a step.
        length: Tokens of a row, all real; of both sides where there are two.
        pieces: Of each vocabulary.
    """

    task: str
    model: dict[str, Any]
    batch_size: int
    length: int
    pieces: int

    def settings(self, precision: str) -> dict[str, Any]:
        """`RunSettings`, whole."""
        training: dict[str, Any] = {"batch_size": self.batch_size, "precision": precision}
        if self.task == "language_modeling":
            training["sequence_length"] = self.length
        given = {"name": "shape", "task": self.task, "training": training, "tokenizer": {"unit": "word"}}
        given["model"] = {"dropout": 0.0, **self.model}
        return RunSettings.model_validate(given).model_dump(mode="json")


LABELS = ["negative", "positive"]
SHAPES = {
    "BiLSTM, 160 wide": Shape(
        "text_classification",
        {"architecture": "recurrent", "embedding_dim": 160, "hidden_dim": 160, "num_layers": 1},
        batch_size=128,
        length=32,
        pieces=5000,
    ),
    "BiLSTM, 2 x 256": Shape(
        "text_classification",
        {"architecture": "recurrent", "embedding_dim": 256, "hidden_dim": 256, "num_layers": 2},
        batch_size=64,
        length=64,
        pieces=5000,
    ),
    "attention seq2seq, 256 wide": Shape(
        "text_to_text",
        {"architecture": "seq2seq", "embedding_dim": 256, "hidden_dim": 256, "num_layers": 1},
        batch_size=128,
        length=16,
        pieces=5000,
    ),
    "language model, 2 x 512": Shape(
        "language_modeling",
        {"architecture": "recurrent", "embedding_dim": 64, "hidden_dim": 512, "num_layers": 2},
        batch_size=50,
        length=50,
        pieces=65,
    ),
}


def words(pieces: int) -> list[str]:
    """A vocabulary of so many pieces, special ones first."""
    # U+2581 stands for the blank before a word.
    return [*SPECIAL_TOKENS, *(f"\u2581w{index}" for index in range(pieces - len(SPECIAL_TOKENS)))]
