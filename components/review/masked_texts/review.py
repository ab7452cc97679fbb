"""Held-out texts as a masked language model saw them, coloured by how improbable it found what was hidden."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

# Registers the TF Text operations that a model may hold.
import tensorflow_text  # noqa: F401

from components.review.result import Pieces, ReviewResult, Sample
from components.review.settings import MaskedTextReviewSettings
from components.serving_validator.answers import read_examples
from models.description import ModelDescription

_GROUP = "held-out texts"
_SPACE_MARK, _JOINER = "\u2581", "##"


def review(
    model: Path,
    examples: Path,
    settings: MaskedTextReviewSettings,
    judge: Path | None,
    on_progress: Callable[[int, int], None],
) -> ReviewResult:
    """Has hidden pieces guessed; arguments as of `components.review.catalogue.MakeReview`."""
    described = ModelDescription.read(model)
    rows = read_examples(examples, settings.texts)
    # The training may hold all memory of the GPU, and the server will answer on the processor too.
    with tf.device("/CPU:0"):
        answer = tf.saved_model.load(str(model)).signatures["examples"](examples=tf.constant(rows))
    answers = {name: value.numpy() for name, value in answer.items()}
    on_progress(len(rows), len(rows))
    return ReviewResult(
        review="masked_texts",
        model=described.name,
        judge=None,
        metrics={f"validation_{name[4:]}": value for name, value in described.metrics.items() if name[:4] == "val_"},
        shortfalls=[],
        notes=[] if rows else ["no held-out text"],
        facts={},
        shares={_GROUP: {}},
        samples=[_sample({name: value[row] for name, value in answers.items()}, row + 1) for row, _ in enumerate(rows)],
    )


def _sample(answer: Mapping[str, Any], number: int) -> Sample:
    facts = {"hidden": int(answer["num_units"]), "right": int(answer["num_right"])}
    follows = answer["follows"].decode()
    told = follows if answer["next_right"] else {"yes": "no", "no": "yes"}.get(follows, "")
    return Sample(
        title=f"Text {number}",
        group=_GROUP,
        held_out=False,
        asked={},
        expected=follows,
        answer=told or None,
        certainty=None,
        facts=facts,
        media=[_pieces(answer)],
    )


def _pieces(answer: Mapping[str, Any]) -> Pieces:
    """The text as it was; what was not hidden is as sure as can be."""
    pieces = [piece.decode("utf-8", "replace") for piece in answer["pieces"] if piece]
    probabilities = [1.0] * len(pieces)
    for piece, position, probability in zip(
        answer["hidden"], answer["positions"], answer["probabilities"], strict=True
    ):
        if piece:
            pieces[position] = f"[{_as_read(piece.decode('utf-8', 'replace')).strip()}]"
            probabilities[position] = round(float(probability), 4)
    return Pieces(
        text="Text, coloured by how improbable each hidden piece is",
        pieces=[_as_read(piece) for piece in pieces],
        probabilities=probabilities,
    )


def _as_read(piece: str) -> str:
    """A piece of a vocabulary as it stands in a text."""
    bare = piece.removeprefix(_JOINER) if len(piece) > len(_JOINER) else piece
    return bare.replace(_SPACE_MARK, " ")
