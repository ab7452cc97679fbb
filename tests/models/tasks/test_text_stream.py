"""Texts as one stream: which token stands in which row of which batch."""

import itertools

import numpy as np
import tensorflow as tf

from models.tasks.text_stream import keep_in_rows, windows_of

START, END = 2, 3


def texts(*parts: tuple[list[int], bool, bool]) -> tf.data.Dataset:
    def rows():
        for token_ids, begins, ends in parts:
            yield {"token_ids": token_ids, "begins": begins, "ends": ends}

    signature = {"token_ids": tf.TensorSpec([None], tf.int32)}
    signature |= {name: tf.TensorSpec([], tf.bool) for name in ("begins", "ends")}
    return tf.data.Dataset.from_generator(rows, output_signature=signature)


def batches_of(windows: tf.data.Dataset, rows: int, tmp_path) -> list:
    return list(
        keep_in_rows(windows, rows, str(tmp_path / "kept")).batch(rows, drop_remainder=True).as_numpy_iterator()
    )


def test_documents_begin_and_end_and_windows_are_cut_through_them():
    stream = windows_of(texts(([10, 11], True, True), ([12, 13], True, False), ([14], False, True)), 4, False)
    windows = [(inputs["token_ids"].tolist(), labels.tolist()) for inputs, labels, _ in stream.as_numpy_iterator()]
    assert windows == [
        ([START, 10, 11, START], [10, 11, END, 12]),
        ([12, 13, 14, 0], [13, 14, END, 0]),
    ]
    assert [weights.tolist() for *_, weights in stream.as_numpy_iterator()] == [[1] * 4, [1, 1, 1, 0]]
    assert [int(inputs["resets"]) for inputs, *_ in stream.as_numpy_iterator()] == [0, 0]


def test_what_follows_an_unknown_text_is_not_predicted_from_nothing():
    [(inputs, labels, weights)] = windows_of(texts(([10, 11, 12], False, False)), 3, False).as_numpy_iterator()
    assert (inputs["token_ids"].tolist(), labels.tolist(), weights.tolist()) == ([0, 10, 11], [10, 11, 12], [0, 1, 1])


def test_a_document_can_begin_a_window_and_reset_the_states():
    parts = ([10, 11], True, True), ([12, 13, 14, 15], True, False), ([16], False, True)
    stream = list(windows_of(texts(*parts), 4, True).as_numpy_iterator())
    assert [inputs["token_ids"].tolist() for inputs, *_ in stream] == [
        [START, 10, 11, 0],
        [START, 12, 13, 14],
        [15, 16, 0, 0],
    ]
    assert [int(inputs["resets"]) for inputs, *_ in stream] == [1, 1, 0]
    assert [weights.tolist() for *_, weights in stream] == [[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 0, 0]]


def test_each_row_goes_on_where_it_ended_and_all_rows_together_are_the_text(tmp_path):
    """Twelve rows: in the order of their names as files 10 would come before 2."""
    rows, length, tokens = 12, 5, list(range(10, 10 + 331))
    batches = batches_of(windows_of(texts((tokens, True, False)), length, False), rows, tmp_path)
    predicted = [[] for _ in range(rows)]
    for number, (inputs, labels, weights) in enumerate(batches):
        assert inputs["token_ids"].shape == (rows, length)
        assert (inputs["resets"] == (number == 0)).all() or number == 1 and inputs["resets"].tolist() == [1] + [0] * 11
        for row in range(rows):
            predicted[row] += labels[row][weights[row] > 0].tolist()
    for before, after in itertools.pairwise(batches[1:]):
        real = after[2][:, 0] > 0
        assert (after[0]["token_ids"][real, 0] == before[1][real, -1]).all()
    assert list(itertools.chain(*predicted)) == tokens
    # The first batch has no weight: each row reads what stands before its own part.
    assert batches[0][2].sum() == 0
    assert (batches[0][1][1:, -1] == batches[1][0]["token_ids"][1:, 0]).all()


def test_the_mean_over_all_positions_is_that_over_the_predicted_ones(tmp_path):
    batches = batches_of(windows_of(texts((list(range(10, 51)), True, False)), 4, False), 3, tmp_path)
    weights = np.stack([weights for *_, weights in batches])
    assert np.isclose(weights.mean(), 1)
    assert (weights > 0).sum() == 41


def test_fewer_windows_than_rows_are_enough(tmp_path):
    batches = batches_of(windows_of(texts(([10, 11], True, True)), 4, False), 5, tmp_path)
    assert len(batches) == 2
    assert batches[1][1][0].tolist() == [10, 11, END, 0]
    assert (batches[1][2] > 0).sum() == 3
