import numpy as np
import pytest
import tensorflow as tf

from models.layers.windows import Windows


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("known", [True, False])
def test_each_position_comes_from_the_first_window_or_the_second_half_of_another(length, known):
    sequence = np.stack([np.arange(1, length + 1), np.arange(11, length + 11)])[:, :, np.newaxis]
    windows = Windows(length if known else tf.constant(length), 4)
    cut = np.asarray(windows.cut(tf.constant(sequence)))
    np.testing.assert_array_equal(windows.join(tf.constant(cut)), sequence)
    number = max(1, (length + 1) // 2 - 1)
    assert cut.shape[0] == 2 * number
    half = min(2, (length + 1) // 2)
    for row in range(2):
        for window in range(number):
            inside = sequence[row, window * half : (window + 2) * half, 0]
            np.testing.assert_array_equal(cut[row * number + window, : len(inside), 0], inside)
    # What a window says of its first half counts in the first window alone.
    marked = np.repeat(np.arange(2 * number) % number, 2 * half).reshape(cut.shape)
    joined = np.asarray(windows.join(tf.constant(marked)))[0, :, 0]
    assert joined.tolist() == [max(0, position // half - 1) for position in range(length)]
