import random
import string

import pytest
import sentencepiece
import tensorflow as tf

from models.errors import SeqlineError
from models.tokenizers.sentencepiece import SentencePieceTokenizer, model_proto
from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.special import UNKNOWN_TOKEN_ID
from models.tokenizers.vocabularies import Vocabularies, learn_vocabulary, split_units

MODELS = ["unigram", "bpe"]


def settings_of(model: str, **settings) -> TokenizerSettings:
    return TokenizerSettings(**{"unit": "sentencepiece", "model": model, "vocabulary_size": 200} | settings)


def words(count: int = 300) -> dict[str, int]:
    rng = random.Random(1)
    stems = ["".join(rng.choices(string.ascii_lowercase[:12], k=3)) for _ in range(30)]
    return {rng.choice(stems) + rng.choice(["", "s", "ing", "ed"]): rng.randint(1, 50) for _ in range(count)}


def tokenizer(settings: TokenizerSettings, counts: dict[str, int]) -> SentencePieceTokenizer:
    return SentencePieceTokenizer(learn_vocabulary(counts, settings), settings)


def round_trip(made: SentencePieceTokenizer, text: str) -> str:
    return made.detokenize(made.tokenize(tf.constant([text]))).numpy()[0].decode()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("byte_fallback", [False, True])
def test_texts_are_cut_as_the_library_cuts_them(model, byte_fallback):
    """By a model that is put together again from the vocabulary file alone."""
    counts = words()
    settings = settings_of(model, byte_fallback=byte_fallback, vocabulary_size=200 + 256 * byte_fallback)
    made = tokenizer(settings, counts)
    texts = [" ".join(list(counts)[i : i + 7]) for i in range(0, 70, 7)]
    library = sentencepiece.SentencePieceProcessor(
        model_proto=model_proto(made.pieces, scores_of(counts, settings), settings)
    )
    assert made.tokenize(tf.constant(texts)).to_list() == [library.encode(text) for text in texts]
    assert [round_trip(made, text) for text in texts] == texts
    assert len(made.pieces) <= settings.vocabulary_size
    assert max(map(len, made.pieces[260 if byte_fallback else 4 :])) > 2, "pieces of several letters"


def scores_of(counts: dict[str, int], settings: TokenizerSettings) -> list[float]:
    return [float(line.split("\t")[1]) for line in learn_vocabulary(counts, settings)[4:]]


@pytest.mark.parametrize("model", MODELS)
def test_the_order_in_which_words_were_counted_changes_no_piece(model):
    counts = words()
    shuffled = dict(sorted(counts.items(), key=lambda item: item[0][::-1]))
    assert learn_vocabulary(counts, settings_of(model)) == learn_vocabulary(shuffled, settings_of(model))


@pytest.mark.parametrize("model", MODELS)
def test_frequent_words_are_pieces_and_rare_ones_are_cut(model):
    made = tokenizer(settings_of(model, vocabulary_size=120), words() | {"falling": 5000, "liljikhb": 1})
    cut = made.tokenize(tf.constant(["falling liljikhb"])).to_list()[0]
    assert made.pieces[cut[0]] == "▁falling" and len(cut) > 3


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("counts", [{}, {"a": 1}, {"a": 3, "ab": 2}, {"▅": 1}])
def test_tiny_data_give_fewer_pieces(model, counts):
    made = tokenizer(settings_of(model, vocabulary_size=8000), counts)
    assert made.vocabulary_size < 12
    assert round_trip(made, " ".join(counts).replace("▅", "")) == " ".join(counts).replace("▅", "")


def test_a_character_that_was_never_seen_is_unknown_or_its_bytes():
    plain = tokenizer(settings_of("unigram"), words())
    assert UNKNOWN_TOKEN_ID in plain.tokenize(tf.constant(["abc🙂"])).to_list()[0]
    by_bytes = tokenizer(settings_of("unigram", vocabulary_size=500, byte_fallback=True), words())
    assert UNKNOWN_TOKEN_ID not in by_bytes.tokenize(tf.constant(["abc🙂"])).to_list()[0]
    assert round_trip(by_bytes, "abc 🙂 안녕 <0x41> [PAD]") == "abc 🙂 안녕 <0x41> [PAD]"
    half_a_character = by_bytes.tokenize(tf.constant(["🙂"]))[:, :-2]
    assert "\ufffd" in by_bytes.detokenize(half_a_character).numpy()[0].decode()


@pytest.mark.parametrize("model", MODELS)
def test_an_unfinished_character_goes_and_all_before_it_stays(model):
    made = tokenizer(settings_of(model, vocabulary_size=500, byte_fallback=True), words())
    both = made.tokenize(tf.constant(["abc €uro 🙂", "abc €uro 🙂"]))
    whole, cut = made.whole_characters(tf.concat([both[:1], both[1:, :-1]], axis=0)).to_list()
    # The four bytes of the last character are tokens of their own, and so are those of the euro sign.
    assert (whole, cut) == (both.to_list()[0], both.to_list()[0][:-4])
    texts = [
        made.detokenize(made.whole_characters(both[:1, :length])).numpy()[0].decode() for length in range(len(whole))
    ]
    assert all("abc €uro 🙂".startswith(text) for text in texts)


def test_the_rarest_characters_are_left_out_where_coverage_allows_it():
    counts = {"ab": 1000, "aq": 1}
    assert any("q" in piece for piece in tokenizer(settings_of("unigram"), counts).pieces)
    covered = tokenizer(settings_of("unigram", character_coverage=0.99), counts)
    assert not any("q" in piece for piece in covered.pieces[4:])


def test_too_small_a_vocabulary_is_refused_with_what_it_needs():
    with pytest.raises(SeqlineError, match=r"vocabulary_size .*: \d\d at least\. Received: 6\."):
        learn_vocabulary(words(), settings_of("unigram", vocabulary_size=6))


def test_the_spaces_of_a_text_count_as_one():
    settings = settings_of("bpe")
    units = split_units(tf.constant(["a\tb  c\n", ""]), settings)
    assert units.to_list() == [[b"a", b"b", b"c"], []]
    assert round_trip(tokenizer(settings, {"a": 2, "b": 2}), " a\t b ") == "a b"


def test_saved_vocabularies_cut_alike(tmp_path):
    settings = settings_of("unigram")
    vocabularies = Vocabularies(settings, {"text": learn_vocabulary(words(), settings)})
    vocabularies.save(str(tmp_path))
    text = tf.constant([" ".join(words())])
    before, after = (each.tokenizer("text").tokenize(text) for each in (vocabularies, Vocabularies.load(str(tmp_path))))
    assert before.to_list() == after.to_list()
