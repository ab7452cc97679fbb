from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.special import SPECIAL_TOKENS, UNKNOWN_TOKEN_ID
from models.tokenizers.vocabularies import Vocabularies, counts_of, learn_vocabulary, split_units

TEXTS = ["Ein Mann, der (schnell) läuft!", "안녕 세상, 좋은 아침", "a tab\tand  two spaces", "don't stop", ""]


def make(texts: list[str], **settings) -> Vocabularies:
    tokenizer_settings = TokenizerSettings(**settings)
    units = split_units(tf.constant(texts), tokenizer_settings).flat_values.numpy()
    counts = Counter(unit.decode() for unit in units)
    return Vocabularies(
        tokenizer_settings, {"text": learn_vocabulary(counts, tokenizer_settings)}, {"label": ["neg", "pos"]}
    )


def round_trip(vocabularies: Vocabularies, texts: list[str]) -> list[str]:
    tokenizer = vocabularies.tokenizer("text")
    return [text.decode() for text in tokenizer.detokenize(tokenizer.tokenize(tf.constant(texts))).numpy()]


@pytest.mark.parametrize("unit", ["word", "wordpiece", "sentencepiece", "character", "byte"])
def test_known_text_survives_a_round_trip(unit):
    # The learner keeps a character only if it is frequent enough, so every text stands here several times.
    texts = TEXTS * 20
    expected = [text if unit in ("character", "byte") else " ".join(text.split()) for text in TEXTS]
    assert round_trip(make(texts, unit=unit, vocabulary_size=400), TEXTS) == expected


@pytest.mark.parametrize("unit", ["word", "wordpiece", "sentencepiece", "character", "byte"])
def test_special_tokens_have_the_first_ids(unit):
    assert tuple(make(TEXTS * 20, unit=unit, vocabulary_size=400).pieces["text"][:4]) == SPECIAL_TOKENS


def test_words_keep_the_space_before_them_in_a_mark():
    units = split_units(tf.constant(["Hi, you (two)"]), TokenizerSettings(unit="word")).to_list()[0]
    assert [unit.decode() for unit in units] == ["▁Hi", ",", "▁you", "▁(", "two", ")"]


def test_unknown_word_becomes_the_unknown_token_and_no_text():
    vocabularies = make(["red green"] * 3, unit="word")
    token_ids = vocabularies.tokenizer("text").tokenize(tf.constant(["red mauve green"]))
    assert token_ids.to_list()[0][1] == UNKNOWN_TOKEN_ID
    assert round_trip(vocabularies, ["red mauve green"]) == ["red green"]


def test_bytes_know_every_text_and_never_give_invalid_utf8():
    vocabularies = make(TEXTS, unit="byte")
    assert round_trip(vocabularies, ["𓀀 никогда не видел"]) == ["𓀀 никогда не видел"]
    half_a_character = tf.ragged.constant([[4 + 0xEC]], dtype=tf.int32)
    assert vocabularies.tokenizer("text").detokenize(half_a_character).numpy()[0].decode() == "\ufffd"


def test_text_that_is_not_utf8_fails_nobody():
    tokenizer = make(TEXTS, unit="character").tokenizer("text")
    token_ids = tokenizer.tokenize(tf.constant([b"a\xff", b"a"]))
    assert token_ids.row_lengths().numpy().tolist() == [2, 1]


def test_lowercase_and_normalization_come_before_cutting():
    vocabularies = make(["straße ａ"] * 3, unit="character", lowercase=True, normalization="nfkc")
    assert round_trip(vocabularies, ["STRASSE Ａ"]) == ["strasse a"]


def test_long_text_is_cut_at_the_maximum():
    tokenizer = make(["abcdef"], unit="character", max_sequence_length=3).tokenizer("text")
    assert tokenizer.tokenize(tf.constant(["fedcba"])).row_lengths().numpy().tolist() == [3]


def test_vocabulary_keeps_the_most_frequent_units():
    counts = {"a": 5, "b": 9, "c": 1, "d": 5}
    assert learn_vocabulary(counts, TokenizerSettings(unit="word", vocabulary_size=7)) == [
        *SPECIAL_TOKENS,
        "b",
        "a",
        "d",
    ]


def test_saved_vocabularies_load_equal(tmp_path):
    vocabularies = make(["a\nb c"] * 3, unit="character")
    vocabularies.save(str(tmp_path))
    loaded = Vocabularies.load(str(tmp_path))
    assert (loaded.settings, loaded.pieces, loaded.labels) == (
        vocabularies.settings,
        vocabularies.pieces,
        vocabularies.labels,
    )


def test_a_rare_word_is_left_out_where_a_count_is_asked_for():
    counts = {"a": 5, "b": 2, "c": 1}
    settings = TokenizerSettings(unit="word", minimum_count=2)
    assert learn_vocabulary(counts, settings) == [*SPECIAL_TOKENS, "a", "b"]


def test_counts_are_those_of_the_pieces_and_are_saved(tmp_path):
    settings = TokenizerSettings(unit="word", vocabulary_size=6)
    counts = {"a": 5, "b": 2, "c": 1}
    pieces = learn_vocabulary(counts, settings)
    vocabularies = Vocabularies(settings, {"text": pieces}, {}, {"text": counts_of(pieces, counts)})
    assert vocabularies.counts == {"text": [0, 0, 0, 0, 5, 2]}
    vocabularies.save(str(tmp_path))
    assert Vocabularies.load(str(tmp_path)).counts == vocabularies.counts


@pytest.mark.parametrize(
    ("unit", "rests"),
    [
        ("word", [".", "), so", ""]),
        ("wordpiece", [".", "), so", "s.", "다.", "좋은", "中s", ""]),
        ("sentencepiece", [".", "), so", "s.", ""]),
        ("character", [".", "s. ", " so"]),
        ("byte", [".", "s. ", " so", "é"]),
    ],
)
def test_what_goes_on_is_cut_as_behind_a_word(unit, rests):
    """The pieces of a whole text are those of its beginning and those behind it."""
    words = "cat sat on a mat (it) so ts . ) 中 文 다 좋은"
    tokenizer = make([words] * 3 + ["sat. (mat), 좋다."], unit=unit, vocabulary_size=400).tokenizer("text")
    whole = tokenizer.tokenize_whole(tf.constant([f"the mat{rest}" for rest in rests]))
    before = tokenizer.tokenize_whole(tf.constant(["the mat"])).to_list()[0]
    behind = tokenizer.tokenize_behind(tf.constant(rests))
    assert [before + row for row in behind.to_list()] == whole.to_list()


def test_what_goes_on_with_a_character_that_is_unknown_is_cut_into_characters():
    tokenizer = make(["the cats sat"] * 3, unit="wordpiece", vocabulary_size=400).tokenizer("text")
    whole = tokenizer.tokenize_whole(tf.constant(["catsét"])).to_list()[0]
    assert tokenizer.tokenize_behind(tf.constant(["sét"])).to_list() == [whole[-3:]]
    assert whole[-2] == UNKNOWN_TOKEN_ID


def test_label_that_training_did_not_see_is_minus_one():
    ids = make(TEXTS, unit="byte").label_ids(tf.constant(["pos", "neg", "other"]))
    np.testing.assert_array_equal(ids, [1, 0, -1])
