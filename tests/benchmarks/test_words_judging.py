"""How vectors of words are judged: by hand-made vectors whose answers are known."""

import numpy as np
import pytest

from benchmarks.words.judging import analogies, read_pairs, read_questions, similarity

VECTORS = {
    "man": np.array([1.0, 0, 0]),
    "woman": np.array([1.0, 1, 0]),
    "king": np.array([1.0, 0, 1]),
    "queen": np.array([1.0, 1, 1]),
}


def test_an_analogy_is_right_where_the_nearest_other_word_is_the_answer():
    questions = [["man", "woman", "king", "queen"], ["man", "woman", "king", "man"], ["man", "woman", "king", "prince"]]
    assert analogies(VECTORS, questions) == {"analogies": 0.5, "covered": pytest.approx(2 / 3)}


def test_similarity_is_the_correlation_of_ranks():
    # Cosines, ascending: man-queen .58, man-woman = man-king .71, woman-queen .82.
    pairs = [["man", "queen", "0"], ["man", "woman", "2"], ["man", "king", "3"], ["woman", "queen", "1"]]
    # Ranks 0, 1.5, 1.5, 3 beside 0, 2, 3, 1, each about its mean of 1.5.
    expected = (1.5 * 1.5 + 0 + 0 + 1.5 * -0.5) / np.sqrt((2 * 1.5**2) * (2 * 1.5**2 + 2 * 0.5**2))
    assert similarity(VECTORS, [*pairs, ["man", "prince", "9"]]) == pytest.approx(expected)


def test_headings_and_comments_are_no_questions_and_no_pairs(tmp_path):
    file = tmp_path / "file"
    file.write_text(": capitals\nMan Woman King Queen\n# The pairs\nKing\tQueen\t8.50\n")
    assert read_pairs(file) == [["king", "queen", "8.50"]]
    file.write_text(": capitals\nMan Woman King Queen\n")
    assert read_questions(file) == [["man", "woman", "king", "queen"]]
