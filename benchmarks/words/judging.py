"""How good vectors of words are: analogies, and how alike people find two words."""

from pathlib import Path

import numpy as np


def analogies(vectors: dict[str, np.ndarray], questions: list[list[str]]) -> dict[str, float]:
    """Share of the covered analogy questions that 3CosAdd answers right, and share that is covered."""
    names = list(vectors)
    numbers = {name: number for number, name in enumerate(names)}
    units = np.stack([vectors[name] for name in names])
    units = units / np.maximum(np.linalg.norm(units, axis=1, keepdims=True), 1e-12)
    covered = [[numbers[word] for word in question] for question in questions if all(w in numbers for w in question)]
    right = 0
    for a, b, c, d in covered:
        scores = units @ (units[b] - units[a] + units[c])
        scores[[a, b, c]] = -np.inf
        right += int(np.argmax(scores) == d)
    return {"analogies": right / max(len(covered), 1), "covered": len(covered) / max(len(questions), 1)}


def similarity(vectors: dict[str, np.ndarray], pairs: list[list[str]]) -> float:
    """Spearman's correlation of cosines with the judgements of people, over the pairs whose words are both known.

    Args:
        vectors: by word, float (E,).
        pairs: two words and a number.
    """
    covered = [(vectors[a], vectors[b], float(number)) for a, b, number in pairs if a in vectors and b in vectors]
    cosines = [float(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-12)) for a, b, _ in covered]
    return float(np.corrcoef(_ranks(cosines), _ranks([number for *_, number in covered]))[0, 1])


def _ranks(numbers: list[float]) -> np.ndarray:
    """Float (N,), from 0; equal numbers share the mean of their ranks."""
    _, places, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[places]


def read_pairs(file: Path) -> list[list[str]]:
    """Lines of two words and a number, lower case; others are comments or headings."""
    rows = [line.lower().split()[:3] for line in file.read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if len(row) == 3 and row[2].replace(".", "", 1).isdigit()]


def read_questions(file: Path) -> list[list[str]]:
    """Google's analogy questions, lower case: four words each."""
    lines = file.read_text(encoding="utf-8").lower().splitlines()
    return [line.split() for line in lines if not line.startswith(":")]
