"""Texts end before their stop strings."""

import pytest
import tensorflow as tf

from models.decoding.stop_strings import cut_at_stop


@pytest.mark.parametrize(
    ("text", "stop", "kept"),
    [
        ("To be, or not", "or", "To be, "),
        ("To be, or not", "not\x1f,", "To be"),
        ("To be, or not", "", "To be, or not"),
        ("To be, or not", "\x1f\x1f", "To be, or not"),
        ("To be, or not", "TO", "To be, or not"),
        ("a.b", ".", "a"),
        ("a\n\nb", "\n\n", "a"),
        ("oror", "or", ""),
        ("", "or", ""),
        ("말은 끝", "끝", "말은 "),
    ],
)
def test_a_text_is_cut_before_the_first_stop_string(text, stop, kept):
    # The other rows have stop strings of their own.
    cut = cut_at_stop(tf.constant(["or", text, "not"]), tf.constant(["", stop, "n"]))
    assert [value.decode() for value in cut.numpy()] == ["or", kept, ""]
