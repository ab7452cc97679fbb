import pytest

from components.errors import DataError
from components.unknown_share import Share, check_unknown, measure_unknown, unknown_findings
from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.vocabularies import Vocabularies, learn_vocabulary


def learned(counts, **settings):
    chosen = TokenizerSettings(**settings)
    return Vocabularies(chosen, {"text": learn_vocabulary(counts, chosen)})


TRAIN = {"text": {"▁ab": 3, "▁ba": 3}}
EVAL = {"text": {"▁ab": 1, "▁ax": 1, "界": 2}}


def test_the_share_counts_tokens_and_not_units():
    vocabularies = learned(TRAIN["text"], unit="wordpiece", vocabulary_size=10)
    assert len(vocabularies.pieces["text"]) == 10  # all characters, no longer piece
    shares = measure_unknown({"train": TRAIN, "eval": EVAL}, vocabularies)
    # Three tokens for each word; one of "ax" and the two characters are unknown.
    assert shares == {"train": {"text": Share(18, 0)}, "eval": {"text": Share(8, 3)}}


def test_words_of_which_many_are_unknown_are_told_and_stopped_past_the_setting():
    vocabularies = learned(TRAIN["text"], unit="word", max_unknown_fraction=0.7)
    shares = measure_unknown({"train": TRAIN, "eval": EVAL}, vocabularies)
    found = unknown_findings(shares, vocabularies, TRAIN)
    assert found.data == {"unknown_train": 0.0, "unknown_eval": 0.75}
    [warning] = found.warnings
    assert warning.startswith("75.00% of the tokens of text in split eval are unknown")
    assert "wordpiece" in warning
    check_unknown(shares, vocabularies)  # four words say little
    many = {"train": TRAIN, "eval": {"text": {unit: 300 * count for unit, count in EVAL["text"].items()}}}
    shares = measure_unknown(many, vocabularies)
    with pytest.raises(DataError, match=r"75.00%.*split eval.*tokenizer.max_unknown_fraction allows 70.00%"):
        check_unknown(shares, vocabularies)


def test_the_train_split_is_judged_whatever_its_size():
    vocabularies = learned({"▁a": 3, "▁b": 1, "▁c": 1, "▁d": 1, "▁e": 1}, unit="word", vocabulary_size=5)
    shares = measure_unknown({"train": {"text": {"▁a": 3, "▁b": 1, "▁c": 1, "▁d": 1, "▁e": 1}}}, vocabularies)
    with pytest.raises(DataError, match="57.14%.*split train"):
        check_unknown(shares, vocabularies)


def test_what_is_allowed_stops_nothing():
    vocabularies = learned(TRAIN["text"], unit="word", max_unknown_fraction=0.75)
    check_unknown(measure_unknown({"train": TRAIN, "eval": EVAL}, vocabularies), vocabularies)


def test_a_vocabulary_without_room_for_the_characters_is_told_what_has_room():
    vocabularies = learned(TRAIN["text"], unit="wordpiece", vocabulary_size=7)
    found = unknown_findings(measure_unknown({"train": TRAIN}, vocabularies), vocabularies, TRAIN)
    assert any("tokenizer.vocabulary_size 7 has no room" in one and one.endswith("10 has") for one in found.warnings)


def test_bytes_know_everything_and_have_no_share():
    vocabularies = learned({}, unit="byte")
    shares = measure_unknown({"train": {"text": {}}}, vocabularies)
    assert shares == {}
    assert unknown_findings(shares, vocabularies, {"text": {}}).warnings == []
