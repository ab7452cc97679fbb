"""When two answers are the same."""

import numpy as np
import pytest

from components.sameness import Tensors, find_difference, stack


def text_of(expected: Tensors, received: Tensors) -> str:
    difference = find_difference(expected, received)
    return difference.text if difference else ""


def test_differences_are_named():
    answer = {"label": np.array([b"a", b"b"], dtype=object), "scores": np.array([[0.5, 1.0], [0.25, 0.0]])}
    padded = {"label": answer["label"], "scores": np.array([[0.50005, 1.0, 0.0], [0.25, 0.0, 0.0]])}
    assert find_difference(answer, answer) is None
    assert find_difference(padded, answer) is None, "padding and rounding are no difference"
    other = {**answer, "scores": np.array([[0.5, 1.0], [0.251, 0.0]])}
    assert find_difference(answer, other) == (
        'output "scores"[1, 0] is 0.251 over gRPC, 0.25 in process',
        1,
    )
    assert "outputs ['label'] over gRPC" in text_of(answer, {"label": answer["label"]})
    assert "has shape (1,)" in text_of(answer, {**answer, "label": answer["label"][:1]})
    longer = {**answer, "label": np.array([b"a", b"c"], dtype=object)}
    assert "output \"label\"[1] is 'c'" in text_of(answer, longer)


def test_of_equal_scores_either_text_will_do():
    def beams(texts: list[str], scores: list[float]) -> dict[str, np.ndarray]:
        return {"target": np.array([[t.encode() for t in texts]], object), "score": np.array([scores], np.float32)}

    expected = beams(["a", "b", "c"], [-1.0, -2.0, -2.00001])
    assert not find_difference(expected, beams(["a", "b", "d"], [-1.0, -2.0, -2.0]))
    assert not find_difference(expected, beams(["a", "c", "b"], [-1.0, -2.0, -2.0])), "their order is chance"
    distinct = beams(["a", "b", "c"], [-1.0, -2.0, -3.0])
    assert not find_difference(distinct, beams(["a", "b", "d"], [-1.0, -2.0, -3.0])), "one may tie outside the beam"
    assert "target" in text_of(distinct, beams(["a", "d", "e"], [-1.0, -2.0, -3.0])), "that is no coincidence"
    assert "target" in text_of(beams(["a"], [-1.0]), beams(["b"], [-1.0]))
    assert "target" in text_of({"target": expected["target"]}, {"target": beams(["a", "b", "d"], [0])["target"]})
    other = beams(["a", "b", "d"], [-1.0, -2.0, -2.5])
    assert find_difference(expected, other), "another score is another answer"


def tagged(*rows: list[str]) -> Tensors:
    """Tokens and tags of texts, "" where a shorter one is padded."""
    longest = max(map(len, rows))
    tokens = np.array([[word.encode() for word in row] + [b""] * (longest - len(row)) for row in rows], object)
    tags = np.where(tokens == b"", b"", b"O")
    return {"tokens": tokens, "tags": tags.astype(object), "scores": np.where(tokens == b"", 0, 0.5)}


def test_what_is_cut_off_a_list_of_words_must_be_padding():
    alone = [tagged(["on", "5", "May"]), tagged([]), tagged(["7"])]
    assert find_difference(tagged(["on", "5", "May"], [], ["7"]), stack(alone)) is None
    longer = [*alone[:2], tagged(["7", "8"])]
    assert find_difference(tagged(["on", "5", "May"], [], ["7"]), stack(longer)) == (
        "output \"tokens\"[2, 1] is '8' over gRPC, '' in process",
        2,
    )


def test_one_tie_among_many_answers_of_one_row_shows_only_when_they_are_stacked():
    together = {"target": np.array([b"a", b"b", b"c"], object), "score": np.array([-1.0, -2.0, -3.0])}
    alone = [
        {"target": np.array([text], object), "score": np.array([score])}
        for text, score in ((b"a", -1.0), (b"x", -2.00001), (b"c", -3.0))
    ]
    assert find_difference(together, stack(alone)) is None
    alone[1]["score"] -= 0.1
    assert "target" in text_of(together, stack(alone)), "another score is another answer"


def test_answers_with_different_outputs_are_not_stacked():
    with pytest.raises(ValueError, match=r"not all answers have the same outputs"):
        stack([{"a": np.zeros(1)}, {"b": np.zeros(1)}])
