"""Requests without rows, at no cost that a shape alone could make."""

import numpy as np

from serving.core.zero_rows import blank_row, is_without_rows, without_row


def test_no_rows_of_bearable_size():
    arrays = [np.empty((0, 3), np.float32), np.empty((0,), object)]
    assert is_without_rows(arrays)
    numbers, texts = blank_row(arrays)
    assert numbers.tolist() == [[0, 0, 0]] and texts.tolist() == [b""]
    assert without_row([np.ones((1, 2))])[0].shape == (0, 2)


def test_a_shape_that_would_take_gigabytes_is_no_request_without_rows():
    assert not is_without_rows([np.empty((0, 2_000_000_000), np.float32)])
    assert not is_without_rows([np.empty((0, 1000, 1000), object), np.empty((0, 100_000), object)])


def test_rows_are_rows():
    assert not is_without_rows([np.ones((1, 2))]) and not is_without_rows([np.float32(1)]) and not is_without_rows([])
