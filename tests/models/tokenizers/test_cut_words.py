import numpy as np
import pytest
import tensorflow as tf

from models.tokenizers.cut_words import NUM_SHAPES, CutWords, learn_words, shapes
from models.tokenizers.cutting import cut_texts, is_cut_alike
from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.special import SPECIAL_TOKENS, UNKNOWN_TOKEN_ID
from models.tokenizers.vocabularies import Vocabularies

SETTINGS = TokenizerSettings(lowercase=True)
WORDS, CHARACTERS = learn_words({"The": 2, "the": 3, "Ｃat": 4, "ß": 1}, SETTINGS)


def cut(text, rule="words"):
    return [token.decode() for token in cut_texts(tf.constant([text]), rule).tokens[0].numpy()]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("It's Rock-n-roll, isn’t it?!", ["It's", "Rock-n-roll", ",", "isn’t", "it", "?!"]),
        ("RT @ann_b: #NLProc rocks...", ["RT", "@ann_b", ":", "#NLProc", "rocks", "..."]),
        ("see https://a.io/x?y=1 or me@b.co.uk", ["see", "https://a.io/x?y=1", "or", "me@b.co.uk"]),
        ("at 10:30, 3,000 for $4.99 (5%) on the 1st", "at 10:30 , 3,000 for $4.99 ( 5% ) on the 1st".split()),
        ("so :) ;-) &amp; <3 😂😂 ❤", ["so", ":)", ";-)", "&amp;", "<3", "😂", "😂", "❤"]),
        ("서울은 東京\u3000と", ["서울은", "東京", "と"]),
        (" \t\n", []),
        ("", []),
    ],
)
def test_words_are_cut_as_people_who_label_posts_cut_them(text, tokens):
    assert cut(text) == tokens


def test_other_rules():
    assert cut("It's @ann.", "punctuation") == ["It", "'", "s", "@", "ann", "."]
    assert cut(" It's  @ann. ", "blanks") == ["It's", "@ann."]


@pytest.mark.parametrize("rule", ["words", "punctuation", "blanks"])
def test_offsets_mark_up_the_text_and_leave_out_white_space_alone(rule):
    text = "Zoë  wrote\u00a0“naïve” to @bob 😂 http://x.y/ä !\n"
    tokens, starts, ends = (values[0].numpy() for values in cut_texts(tf.constant([text]), rule))
    encoded = text.encode()
    assert [encoded[start:end] for start, end in zip(starts, ends, strict=True)] == list(tokens)
    assert b"".join(tokens).decode() == "".join(text.split())


def test_it_is_told_whether_a_rule_cuts_alike():
    tokens = tf.ragged.constant([["It's", "so", "!!"], ["I", "'m"], ["a.b", "c"], []], dtype=tf.string)
    assert is_cut_alike(tokens, "words").numpy().tolist() == [True, True, False, True]
    assert is_cut_alike(tokens, "blanks").numpy().all()


def test_what_is_no_utf8_fails_no_one_else():
    assert cut_texts(tf.constant([b"a\xff b", b"ok"]), "words").tokens.to_list()[1] == [b"ok"]
    words = CutWords(WORDS, CHARACTERS, SETTINGS)
    tokens = tf.ragged.constant([[b"\xff", b"the"]])
    assert words.look_up_words(tokens).to_list() == [[UNKNOWN_TOKEN_ID, words.pieces.index("the")]]
    assert words.look_up_characters(tokens, 9)[0, 0].numpy().tolist() == [UNKNOWN_TOKEN_ID]


def test_words_are_learned_normalised_and_characters_as_they_stand():
    assert WORDS == [*SPECIAL_TOKENS, "the", "cat", "ss"]
    assert CHARACTERS == [*SPECIAL_TOKENS, "T", "a", "e", "h", "t", "Ｃ"]
    words = CutWords(WORDS, CHARACTERS, SETTINGS)
    tokens = tf.ragged.constant([["THE", "Cat"], [], ["dog"]])
    assert words.look_up_words(tokens).to_list() == [[4, 5], [], [UNKNOWN_TOKEN_ID]]
    assert words.look_up_characters(tf.ragged.constant([["Text"], []]), 3).to_list() == [[[4, 6, UNKNOWN_TOKEN_ID]], []]


def test_a_word_that_looks_like_a_special_token_is_unknown():
    words, characters = learn_words(dict.fromkeys([*SPECIAL_TOKENS, "a"], 3), TokenizerSettings())
    assert words == [*SPECIAL_TOKENS, "a"]
    tokens = tf.ragged.constant([[*SPECIAL_TOKENS, "a"]])
    assert CutWords(words, characters, TokenizerSettings()).look_up_words(tokens).to_list() == [
        [UNKNOWN_TOKEN_ID] * 4 + [4]
    ]


def test_the_vocabulary_size_and_the_longest_sequence_bound():
    words, _ = learn_words({"a": 1, "b": 3, "c": 2}, TokenizerSettings(vocabulary_size=6))
    assert words == [*SPECIAL_TOKENS, "b", "c"]
    short = CutWords(words, CHARACTERS, TokenizerSettings(max_sequence_length=2))
    assert short.cut_off(tf.ragged.constant([["a", "b", "c"], ["a"]])).to_list() == [[b"a", b"b"], [b"a"]]


def test_shapes_are_alike_for_words_of_a_kind():
    same = [["Paris", "Berlin"], ["USA", "UNESCO"], ["B2B", "X7Y"], ["1,000", "2,345"]]
    found = shapes(tf.ragged.constant(same)).numpy()
    assert np.all(found[:, 0] == found[:, 1])
    assert len(set(found[:, 0].tolist())) == 4
    assert found.min() >= 1 and found.max() <= NUM_SHAPES


def test_words_come_back_from_their_files(tmp_path):
    kept = Vocabularies(SETTINGS, {}, {"tags": ["O"]}, {"tokens": WORDS}, {"tokens": CHARACTERS})
    kept.save(str(tmp_path))
    assert Vocabularies.load(str(tmp_path)) == kept
