"""Entities by a conditional random field over features written by hand: what a network should beat.

    sh benchmarks/labeling/setup.sh
    .venv-crfsuite/bin/python -m benchmarks.labeling.crfsuite TRAIN.conll EVAL.conll

Files as data.format conll reads them, in BIO, tokens in the first column and tags in the last. Prints one line of JSON.
Needs nothing of ours: its environment has no TensorFlow. Entities are counted as in components/evaluation/metrics: for
legal BIO, an entity is right where its type and both ends are.
"""

import argparse
import json
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import sklearn_crfsuite

Sentence = tuple[list[str], list[str]]
_OUTSIDE = "O"


def sentences(file: Path) -> Iterator[Sentence]:
    """Tokens and tags of each sentence."""
    rows = [line.split() for line in file.read_text(encoding="utf-8-sig").splitlines()]
    tokens: list[str] = []
    tags: list[str] = []
    for row in [*rows, []]:
        if row and row[0] != "-DOCSTART-":
            tokens.append(row[0])
            tags.append(row[-1])
        elif tokens:
            yield tokens, tags
            tokens, tags = [], []


def shape(word: str) -> str:
    """Xxx-dd for Abc-12, longer runs as two."""
    for pattern, letter in ((r"[A-Z]", "X"), (r"[^\W\d_X]", "x"), (r"\d", "d"), (r"(X|x|d)\1{2,}", r"\1\1")):
        word = re.sub(pattern, letter, word)
    return word


def of_word(word: str, name: str) -> dict[str, str | bool]:
    """What is known of one word."""
    return {
        f"{name}.lower": word.lower(),
        f"{name}.shape": shape(word),
        f"{name}.is_title": word.istitle(),
        f"{name}.is_upper": word.isupper(),
    }


def features(tokens: Sequence[str]) -> list[dict[str, str | bool]]:
    """What each position sees: its word with its ends, and the words on either side."""
    found = []
    for place, word in enumerate(tokens):
        seen: dict[str, str | bool] = {"bias": True, **of_word(word, "word")}
        seen |= {f"prefix{size}": word[:size] for size in (1, 2, 3, 4)}
        seen |= {f"suffix{size}": word[-size:] for size in (1, 2, 3, 4)}
        for offset in (-2, -1, 1, 2):
            beside = place + offset
            seen |= of_word(tokens[beside], str(offset)) if 0 <= beside < len(tokens) else {f"{offset}.none": True}
        found.append(seen)
    return found


def entities(tags: Sequence[str]) -> set[tuple[int, int, str]]:
    """First token, last token and type of each entity."""
    found: set[tuple[int, int, str]] = set()
    begin, kind = 0, ""
    for place, tag in enumerate([*tags, _OUTSIDE]):
        goes_on = tag == f"I-{kind}"
        if kind and not goes_on:
            found.add((begin, place - 1, kind))
        if not goes_on:
            begin, kind = place, "" if tag == _OUTSIDE else tag[2:]
    return found


def scores(labels: Sequence[Sequence[str]], answers: Sequence[Sequence[str]]) -> dict[str, float]:
    """Precision, recall and F1 over all entities."""
    wanted, found = (
        {(number, *entity) for number, tags in enumerate(rows) for entity in entities(tags)}
        for rows in (labels, answers)
    )
    right = len(wanted & found)
    return {
        "entity_precision": right / max(len(found), 1),
        "entity_recall": right / max(len(wanted), 1),
        "entity_f1": 2 * right / max(len(found) + len(wanted), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("train", type=Path)
    parser.add_argument("eval", type=Path)
    parser.add_argument("--c1", type=float, default=0.1, help="weight of the penalty on absolute values")
    parser.add_argument("--c2", type=float, default=0.01, help="weight of the penalty on squares")
    arguments = parser.parse_args()
    train, held_out = ([*zip(*sentences(file), strict=True)] for file in (arguments.train, arguments.eval))
    start = time.monotonic()
    model = sklearn_crfsuite.CRF(
        algorithm="lbfgs", c1=arguments.c1, c2=arguments.c2, max_iterations=100, all_possible_transitions=True
    )
    model.fit([features(tokens) for tokens in train[0]], train[1])
    seconds = time.monotonic() - start
    answers = model.predict([features(tokens) for tokens in held_out[0]])
    print(json.dumps({**scores(held_out[1], answers), "train_seconds": round(seconds, 1)}))


if __name__ == "__main__":
    main()
