"""Answers as a person reads them."""

from pathlib import Path

import numpy as np

from pipeline.serve.answers import makes_file, render


def texts(*values: str) -> np.ndarray:
    return np.array([value.encode() for value in values], object)


def shown(**answer: object) -> str:
    return render({}, answer, Path("nowhere.wav"))


def test_the_best_five_scores_stand_beside_a_label() -> None:
    answer = shown(label=b"b", classes=texts(*"abcdef"), scores=np.array([0.1, 0.4, 0.2, 0.15, 0.05, 0.1]))
    assert answer == "b  (b 0.400, c 0.200, d 0.150, a 0.100, f 0.100)"


def test_tags_stand_below_their_words() -> None:
    answer = shown(tokens=texts("Ada", "was", "in", "London", ""), tags=texts("B-PER", "O", "O", "B-LOC", ""))
    assert answer == "Ada   was in London\nB-PER O   O  B-LOC"
    assert shown(tokens=texts(""), tags=texts("")) == "\n"


def test_the_first_of_several_texts_is_the_answer() -> None:
    assert shown(target=texts("x", "y"), score=np.array([-1.0, -2.0])) == "x"
    assert shown(target=b"x", score=np.float32(-1)) == shown(text=b"x") == "x"


def test_outputs_that_no_line_knows_are_named() -> None:
    assert shown(vector=np.array([0.5, 1.0]), word=b"a", count=np.int32(3)) == "count 3  vector [0.5, 1]  word a"
    assert makes_file({"audio", "sample_rate", "label"}) and not makes_file({"label", "scores", "classes"})


def test_a_text_stands_behind_its_prompt() -> None:
    answer = {"text": b" be\nor not", "score": -1.0, "reason": b"length"}
    assert render({"prompt": b"To"}, answer, Path("nowhere.wav")) == "To be\nor not"


def test_words_that_are_alike_stand_with_their_scores_and_unknown_ones_are_named() -> None:
    answer = {"words": texts("queen", "prince", ""), "score": np.array([0.8, 0.25, 0.0])}
    assert shown(**answer, unknown=b"") == "queen 0.800, prince 0.250"
    assert shown(words=texts("", ""), score=np.zeros(2), unknown=b"mauve") == "no answer  (unknown: mauve)"
