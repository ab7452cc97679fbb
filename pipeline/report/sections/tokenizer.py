"""What the tokenizer knows: its pieces, how finely it cuts, what it does not know."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

# Registers the TF Text operations that tokenizers use.
import tensorflow_text  # noqa: F401

from components.requests import row_of
from components.serving_validator.answers import read_examples
from models.tokenizers.special import SPECIAL_TOKENS, UNKNOWN_TOKEN_ID
from models.tokenizers.vocabularies import Vocabularies
from pipeline.report.form import Block, Pieces, Section, Table
from pipeline.report.source import Source
from pipeline.report.words import name_of

_LOOKED_AT, _SHOWN, _WORDS = 2000, 12, 60
_RARE = re.compile(r"^<0x[0-9A-F]{2}>$")


def section(source: Source) -> Section | None:
    """Of each text of which pieces are learned."""
    folder, examples = source.folder("vocabulary"), source.folder("examples")
    if folder is None or examples is None or not (folder / "tokenizer.json").exists():
        return None
    vocabularies = Vocabularies.load(str(folder))
    blocks: list[Block] = []
    for feature, pieces in vocabularies.pieces.items():
        blocks += _of_feature(vocabularies, feature, pieces, examples)
    return Section(name="tokenizer", title="Tokenizer", blocks=blocks) if blocks else None


def _of_feature(vocabularies: Vocabularies, feature: str, pieces: list[str], examples: Path) -> Iterator[Block]:
    tokenizer = vocabularies.tokenizer(feature)
    rows: list[list[str | int | float | None]] = []
    shown = ""
    for split in sorted(examples.glob("Split-*")):
        texts = [row_of(one)[feature] for one in read_examples(split, _LOOKED_AT)]
        if not texts:
            continue
        shown = shown or texts[0].decode("utf-8", "replace")
        token_ids = tokenizer.tokenize_whole(tf.constant(texts))
        ids, lengths = token_ids.flat_values.numpy(), token_ids.row_lengths().numpy()
        words = sum(len(text.split()) for text in texts)
        most = vocabularies.settings.max_sequence_length
        rows.append(
            [
                split.name.removeprefix("Split-"),
                len(texts),
                len(ids) / max(1, words),
                float(np.mean(ids == UNKNOWN_TOKEN_ID)) if len(ids) else 0.0,
                float(np.mean(lengths > most)),
            ]
        )
    yield Table(
        title=f"{name_of(feature).capitalize()}: {len(pieces)} {vocabularies.settings.unit} pieces are known",
        columns=["split", "texts looked at", "pieces a word", "share unknown", "share of texts that is cut"],
        rows=rows,
        note=f"A text is cut after {vocabularies.settings.max_sequence_length} pieces (tokenizer.max_sequence_length).",
    )
    learned = [piece for piece in pieces if piece not in SPECIAL_TOKENS and not _RARE.match(piece)]
    ends = zip(learned[:_SHOWN], learned[::-1][:_SHOWN], strict=True)
    yield Table(
        title=f"{name_of(feature).capitalize()}: learned first and last",
        columns=["first", "last"],
        rows=[[first, last] for first, last in ends],
        folded=True,
    )
    yield Pieces(title=f"An example of {name_of(feature)}, cut", pieces=_cut(tokenizer, shown))


def _cut(tokenizer: object, text: str) -> list[str]:
    short = " ".join(text.split()[:_WORDS])[:1000]
    token_ids = tokenizer.tokenize_whole(tf.constant([short])).flat_values.numpy()  # type: ignore[attr-defined]
    return [tokenizer.pieces[token_id] for token_id in token_ids][:200]  # type: ignore[attr-defined]
