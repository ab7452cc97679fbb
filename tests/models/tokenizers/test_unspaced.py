"""Scripts without blanks and long words: only characters that were never seen are unknown."""

from collections import Counter

import pytest
import tensorflow as tf

from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.special import SPECIAL_TOKENS, UNKNOWN_TOKEN_ID
from models.tokenizers.vocabularies import TOKENIZERS, Vocabularies, learn_vocabulary, split_units

# What is learned from, what is asked: the same characters in another order.
KNOWN = {
    "thai": ("ฉันรักภาษาไทยและชอบกินข้าวผัดมากที่สุดในโลกเลยนะครับ", "ครับฉันชอบภาษาไทย กินข้าว"),
    "lao": ("ຂ້ອຍຮັກພາສາລາວ", "ພາສາລາວຂ້ອຍຮັກ"),
    "khmer": ("ខ្ញុំស្រលាញ់ភាសាខ្មែរ", "ភាសាខ្មែរខ្ញុំ"),
    "burmese": ("ကျွန်တော်မြန်မာစကားပြောတတ်တယ်", "မြန်မာစကားကျွန်တော်"),
    "chinese": ("我们喜欢在公园里散步。", "公园里我们散步。"),
    "japanese": ("コーヒーを飲みながら本を読みます", "本を読みながらコーヒーを飲みます"),
    "korean without blanks": ("가나다라마바사아자차카타파하" * 3, "하파타카차자아사바마라다나가" * 3),
    "dna": ("ACGT" * 50, "TTGACA" * 40),
    "base64": ("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo" * 4, "oVWYdVVSUFFUPQTMtkSJ0hGR5" * 6),
    "mixed": ("iPhoneの新しいモデルは 3 月に, ok?", "新しいiPhone は3月のモデル?"),
}


def vocabulary(texts, **settings):
    tokenizer_settings = TokenizerSettings(**settings)
    units = split_units(tf.constant(texts), tokenizer_settings).flat_values.numpy()
    counts = dict(Counter(unit.decode() for unit in units))
    return Vocabularies(tokenizer_settings, {"text": learn_vocabulary(counts, tokenizer_settings)}), counts


def ids(vocabularies, text):
    return vocabularies.tokenizer("text").tokenize(tf.constant([text])).to_list()[0]


def round_trip(vocabularies, text):
    tokenizer = vocabularies.tokenizer("text")
    return tokenizer.detokenize(tokenizer.tokenize(tf.constant([text]))).numpy()[0].decode()


@pytest.mark.parametrize("script", KNOWN)
def test_a_new_order_of_known_characters_is_known_and_comes_back(script):
    learned, asked = KNOWN[script]
    vocabularies, _ = vocabulary([learned, "learned , from ?"], unit="wordpiece", max_sequence_length=1000)
    token_ids = ids(vocabularies, asked)
    assert token_ids
    assert UNKNOWN_TOKEN_ID not in token_ids
    assert round_trip(vocabularies, asked) == asked


@pytest.mark.parametrize("script", [script for script in KNOWN if script not in ("mixed",)])
def test_words_too_know_characters_where_there_are_no_blanks(script):
    learned, asked = KNOWN[script]
    vocabularies, _ = vocabulary([learned + " " + learned], unit="word", max_sequence_length=1000)
    assert UNKNOWN_TOKEN_ID not in ids(vocabularies, asked)
    assert round_trip(vocabularies, asked) == asked


@pytest.mark.parametrize("unit", ["word", "wordpiece"])
def test_one_unseen_character_is_one_unknown_token(unit):
    vocabularies, _ = vocabulary(["我们喜欢散步"] * 3, unit=unit)
    token_ids = ids(vocabularies, "我们龘喜欢")
    assert [token_id == UNKNOWN_TOKEN_ID for token_id in token_ids] == [False, False, True, False, False]


def test_a_word_with_an_unseen_character_is_known_but_for_it():
    vocabularies, _ = vocabulary(["hello world"] * 3, unit="wordpiece")
    token_ids = ids(vocabularies, "helžlo")
    pieces = vocabularies.pieces["text"]
    # As the learner writes parts of a word, so that the model has seen them there.
    assert [pieces[token_id] for token_id in token_ids] == ["▁", "##h", "##e", "##l", "[UNK]", "##l", "##o"]
    assert round_trip(vocabularies, "helžlo world") == "hello world"


def test_no_character_of_a_rare_or_long_word_is_lost():
    # The learner looks at no word of more than 20 letters.
    vocabularies, _ = vocabulary(["some words", "überquerungsfährbootsanlegestelle"], unit="wordpiece")
    assert UNKNOWN_TOKEN_ID not in ids(vocabularies, "fährstelle über")


@pytest.mark.parametrize("letters", [97, 98, 300])
def test_a_word_is_known_whatever_its_length(letters):
    vocabularies, _ = vocabulary(["abcd efgh"], unit="wordpiece", max_sequence_length=1000)
    assert UNKNOWN_TOKEN_ID not in ids(vocabularies, "abcdefgh" * 40)
    assert round_trip(vocabularies, "a" * letters) == "a" * letters


def test_the_pieces_of_characters_come_before_all_others():
    texts = ["abcdefghij klmnopqrst uvwxyz"] * 5
    least = len(SPECIAL_TOKENS) + 2 * 27
    vocabularies, counts = vocabulary(texts, unit="wordpiece", vocabulary_size=least)
    assert TOKENIZERS["wordpiece"].least_size(counts) == least
    assert len(vocabularies.pieces["text"]) == least
    assert UNKNOWN_TOKEN_ID not in ids(vocabularies, "zyxwvu tsrqponmlk jihgfedcba")


def test_too_small_a_vocabulary_leaves_out_the_rarest_characters():
    texts = ["aaaa bbbb"] * 9 + ["cd"]
    vocabularies, _ = vocabulary(texts, unit="wordpiece", vocabulary_size=len(SPECIAL_TOKENS) + 6)
    assert UNKNOWN_TOKEN_ID not in ids(vocabularies, "ab ba")
    assert round_trip(vocabularies, "abca") == "aba"


def test_a_script_without_blanks_needs_one_piece_a_character():
    _, counts = vocabulary(["我们 喜欢"], unit="wordpiece")
    # The four characters, the space mark and what could go on behind it.
    assert TOKENIZERS["wordpiece"].least_size(counts) == len(SPECIAL_TOKENS) + 4 + 2


def test_no_mark_stands_alone_at_the_start():
    units = split_units(tf.constant(["我 们", "", "a我"]), TokenizerSettings(unit="word")).to_list()
    assert [[unit.decode() for unit in row] for row in units] == [["我", "▁", "们"], [], ["▁a", "我"]]
