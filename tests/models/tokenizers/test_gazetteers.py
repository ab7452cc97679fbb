"""Lists of names, beside a search by loops."""

import random

import pytest
import tensorflow as tf

from models.tokenizers.gazetteers import Gazetteers, learn_names
from models.tokenizers.settings import TokenizerSettings

SETTINGS = TokenizerSettings(lowercase=True)
LISTS = {"person": ["Ann", "Mary Ann"], "place": ["New York", "new  york city", "Ann Arbor", ""]}


def test_names_are_normalised_as_words_are():
    assert learn_names(LISTS, SETTINGS) == {
        "person": ["ann", "mary ann"],
        "place": ["ann arbor", "new york", "new york city"],
    }
    assert learn_names({"long": ["a b c d e f", "a b c d e f g"]}, SETTINGS) == {"long": ["a b c d e f"]}


def test_every_word_of_a_name_is_marked_for_its_lists():
    gazetteers = Gazetteers(learn_names(LISTS, SETTINGS), SETTINGS)
    tokens = tf.ragged.constant([["In", "NEW", "York", "Ann", "left"], [], ["new"], ["Mary", "Ann", "Arbor"]])
    assert gazetteers.look_up(tokens).to_list() == [[0, 2, 2, 1, 0], [], [0], [1, 3, 2]]


def test_without_lists_nothing_is_marked():
    tokens = tf.ragged.constant([["a"], []], dtype=tf.string)
    assert Gazetteers({}, SETTINGS).look_up(tokens).to_list() == [[0], []]


@pytest.mark.parametrize("seed", range(3))
def test_it_finds_what_a_search_by_loops_finds(seed):
    rng = random.Random(seed)
    names = {name: [" ".join(rng.choices("abc", k=rng.randint(1, 4))) for _ in range(3)] for name in ("x", "y", "z")}
    rows = [rng.choices("abcd", k=rng.randint(0, 9)) for _ in range(8)]
    expected = [[0] * len(row) for row in rows]
    for place, listed in enumerate(names.values()):
        for name in (name.split() for name in listed):
            for row, marks in zip(rows, expected, strict=True):
                for start in range(len(row)):
                    if row[start : start + len(name)] == name:
                        for index in range(start, start + len(name)):
                            marks[index] |= 2**place
    gazetteers = Gazetteers(learn_names(names, SETTINGS), SETTINGS)
    assert gazetteers.look_up(tf.ragged.constant(rows, dtype=tf.string)).to_list() == expected
