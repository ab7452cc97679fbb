"""Language models: states from batch to batch, what is learned, how texts go on, how probable they are."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.checkpointing import Checkpointing
from models.export import export
from models.input_pipeline import evaluation_batches
from models.registry import TASKS
from models.tokenizers.special import END_TOKEN_ID, START_TOKEN_ID
from models.training import build_model, train
from tests.models.conftest import examples_of, learn, run_settings, write_transformed

MODEL = {"architecture": "recurrent", "embedding_dim": 6, "hidden_dim": 8, "num_layers": 2, "dropout": 0.0}
CODE = TASKS["language_modeling"].code()


def row(text: str, context: str = "", continues: str = "") -> dict[str, str]:
    return {"text": text, "context": context, "continues": continues}


def prepared(tmp_path, passages: list[dict[str, str]], model: dict | None = None, unit: str = "character", **training):
    tokenizer = {"unit": unit, "normalization": "none", "max_sequence_length": 50}
    settings = run_settings("language_modeling", MODEL | (model or {}), training=training, tokenizer=tokenizer)
    vocabularies = learn(passages, settings)
    file = write_transformed(passages, settings, vocabularies, tmp_path / "rows.gz")
    return settings, vocabularies, [file], [file]


def passages_of(text: str, length: int = 17) -> list[dict[str, str]]:
    starts = range(0, len(text), length)
    return [row(text[at : at + length], text[:at], "" if at + length >= len(text) else "yes") for at in starts]


def ready(tmp_path, passages, **options):
    """Settings, vocabularies and a model with weights that say something."""
    settings, vocabularies, [file], _ = prepared(tmp_path, passages, **options)
    keras.utils.set_random_seed(5)
    model = build_model(settings, vocabularies)
    rng = np.random.default_rng(5)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(0, 0.6, weight.shape))
    return settings, vocabularies, file, model


# === States from batch to batch ===


def test_windows_with_carried_states_equal_the_whole_stream_at_once(tmp_path):
    *_, model = ready(tmp_path, [row("abc")], batch_size=2, sequence_length=4)
    token_ids = np.random.default_rng(1).integers(2, 7, (2, 12))
    whole = model({"token_ids": token_ids})
    for number, window in enumerate(np.split(token_ids, 3, axis=1)):
        carried = model({"token_ids": window, "resets": np.full(2, int(number == 0))})
        np.testing.assert_allclose(carried, whole[:, 4 * number : 4 * number + 4], atol=1e-5)
    fresh = model({"token_ids": token_ids[:, 4:8]})
    assert np.abs(fresh - whole[:, 4:8]).max() > 1e-2, "not carrying is another model"
    # One row begins anew, the other one goes on.
    model({"token_ids": token_ids[:, :4], "resets": np.ones(2)})
    mixed = model({"token_ids": token_ids[:, 4:8], "resets": np.array([1, 0])})
    np.testing.assert_allclose(mixed, np.stack([fresh[0], whole[1, 4:8]]), atol=1e-5)


def test_the_validation_loss_is_that_of_a_reader_from_the_beginning(tmp_path):
    """Nats of each token, whatever the padding; one row is exact, more rows begin with a window of context."""
    text = "abcabdabc cab dab" * 5
    for rows, tolerance in ((1, 1e-5), (3, 0.02)):
        folder = tmp_path / str(rows)
        folder.mkdir()
        options = {"batch_size": rows, "sequence_length": 6}
        settings, vocabularies, file, model = ready(folder, passages_of(text), **options)
        token_ids = vocabularies.tokenizer("text").tokenize_whole([text]).to_list()[0]
        read = np.array([[START_TOKEN_ID, *token_ids]])
        said = np.array([*token_ids, END_TOKEN_ID])
        log_probs = tf.nn.log_softmax(model({"token_ids": read}))[0].numpy()
        nats = -np.mean([log_probs[place, token] for place, token in enumerate(said)])
        model.compile(jit_compile=False, **CODE.compile_arguments(settings))
        batches = evaluation_batches(CODE, examples_of(file, settings), rows, [6])
        loss, perplexity = model.evaluate(batches, verbose=0)
        assert loss == pytest.approx(nats, abs=tolerance)
        assert perplexity == pytest.approx(np.exp(loss), rel=1e-4)


class Interrupt(Exception):
    pass


def test_a_killed_training_resumes_with_its_states(tmp_path, monkeypatch):
    text = "".join(np.random.default_rng(2).choice(list("abcd "), 250))
    options = {"batch_size": 4, "sequence_length": 7, "epochs": 2, "checkpoint_steps": 1, "learning_rate": 0.02}
    arguments = prepared(tmp_path, passages_of(text), model={"dropout": 0.2}, **options)
    undisturbed, state = train(*arguments, str(tmp_path / "one"))
    assert state.step == 20
    real_save = Checkpointing.save

    def save_then_stop(self):
        real_save(self)
        if self.state.step == 13:
            raise Interrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpointing, "save", save_then_stop)
        with pytest.raises(Interrupt):
            train(*arguments, str(tmp_path / "two"))
    resumed, _ = train(*arguments, str(tmp_path / "two"))
    for one, other in zip(undisturbed.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


# === Learning ===


def perplexity_after(tmp_path, passages, **training) -> float:
    options = {"epochs": 30, "learning_rate": 0.02, "early_stopping_patience": 0} | training
    _, state = train(*prepared(tmp_path, passages, **options), str(tmp_path / "checkpoints"))
    return state.best_metrics["val_perplexity"]


def test_a_text_that_goes_round_is_learned_only_by_carrying_states(tmp_path):
    """What follows an a is known by what stood before it, which in every second window only the states tell."""
    text = "aab" * 60
    carried = perplexity_after(tmp_path, passages_of(text), batch_size=3, sequence_length=2)
    assert carried < 1.05
    (tmp_path / "alone").mkdir()
    documents = [row(text[at : at + 2], "?", "yes") for at in range(0, len(text), 2)]
    alone = perplexity_after(tmp_path / "alone", documents, batch_size=3, epochs=5)
    assert alone > 1.2, "two letters by themselves do not tell"


def test_sentences_are_learned_one_by_one_with_their_ends(tmp_path):
    sentences = [row(text) for text in ("abba", "cd", "dcc") for _ in range(20)]
    perplexity = perplexity_after(tmp_path, sentences, batch_size=6, length_buckets=1)
    # Which of the three it is costs log(3) once for 12 tokens, ends included.
    assert perplexity == pytest.approx(np.exp(3 * np.log(3) / 12), rel=0.05)


# === Texts go on ===


def signatures_of(tmp_path, passages, **options):
    settings, vocabularies, _, model = ready(tmp_path, passages, **options)
    return CODE.signatures(model, vocabularies, settings)


def generate(signatures, prompts: list[str], **settings) -> dict[str, list]:
    asked = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "max_length": 12, "seed": 1, "stop": ""} | settings
    dtypes = {setting.name: setting.dtype for setting in signatures.request_settings}
    rows = {
        name: tf.constant(value if isinstance(value, list) else [value] * len(prompts), dtypes[name])
        for name, value in asked.items()
    }
    answer = signatures.generate(tf.constant(prompts), **rows)
    return {name: values.numpy().tolist() for name, values in answer.items()}


@pytest.fixture(name="signatures")
def _signatures(tmp_path):
    return signatures_of(tmp_path, [row("abc def\n  ghi")])


def test_the_same_seed_gives_the_same_text_whatever_is_asked_beside_it(signatures):
    prompts = ["ab", "", "c def c def", "a"]
    together = generate(signatures, prompts, seed=[1, 2, 3, 1], max_length=[12, 3, 30, 12])
    for number, prompt in enumerate(prompts):
        seed, most = [1, 2, 3, 1][number], [12, 3, 30, 12][number]
        alone = generate(signatures, [prompt], seed=seed, max_length=most)
        assert alone["text"] == [together["text"][number]]
        assert alone["reason"] == [together["reason"][number]]
        assert alone["score"] == pytest.approx([together["score"][number]], abs=1e-5)
    assert len(set(generate(signatures, ["a"] * 5, seed=[1, 2, 3, 4, 5])["text"])) > 1


def test_the_most_probable_text_is_what_the_model_says_step_by_step(signatures):
    tokenizer = signatures.vocabularies.tokenizer("text")
    token_ids, drawn = [START_TOKEN_ID, *tokenizer.tokenize(["ab"]).to_list()[0]], []
    while len(drawn) < 8:
        scores = signatures.model({"token_ids": np.array([token_ids + drawn])})[0, -1].numpy()
        scores[[0, 1, 2]] = -np.inf
        drawn.append(int(scores.argmax()))
    said = itertools.takewhile(lambda token: token != END_TOKEN_ID, drawn)
    expected = "".join(tokenizer.pieces[token] for token in said)
    for settings in ({"temperature": 0.0}, {"top_k": 1}, {"top_p": 0.0}):
        assert generate(signatures, ["ab"], max_length=8, **settings)["text"] == [expected.encode()]


def test_a_stop_string_ends_the_text_before_it(signatures):
    prompts = ["a", "ab", "c", ""]
    whole = [text.decode() for text in generate(signatures, prompts, max_length=40)["text"]]
    longest = max(whole, key=len)
    stop = longest[len(longest) // 2 :][:2]
    stopped = generate(signatures, prompts, max_length=40, stop=f"never\x1f{stop}")
    assert [text.decode() for text in stopped["text"]] == [text.partition(stop)[0] for text in whole]
    assert [reason == b"stop" for reason in stopped["reason"]] == [stop in text for text in whole]
    # Another row's stop string is not ours, and what is not there stops nothing.
    mixed = generate(signatures, prompts, max_length=40, stop=["", stop, "no such text", ""])
    assert [text.decode() for text in mixed["text"]] == [whole[0], whole[1].partition(stop)[0], *whole[2:]]


def test_a_stopped_text_counts_only_what_was_drawn_until_then(signatures):
    [text] = generate(signatures, ["a"], max_length=40, temperature=0.0)["text"]
    stop = text.decode()[2]
    end = text.decode().index(stop)
    stopped = generate(signatures, ["a"], max_length=40, temperature=0.0, stop=stop)
    until = generate(signatures, ["a"], max_length=end + 1, temperature=0.0)
    assert stopped["score"] == pytest.approx(until["score"], abs=1e-5)


def test_bytes_that_finish_no_character_are_left_out(tmp_path):
    signatures = signatures_of(tmp_path, [row("aé한")], unit="byte")
    texts = generate(signatures, ["é"] * 40, seed=list(range(40)), max_length=5)["text"]
    for text in texts:
        text.decode()  # raises on anything but whole UTF-8


@pytest.mark.parametrize(("text", "whole"), [("a한".encode()[:-1], b"a"), ("한é".encode()[:-1], "한".encode())])
def test_an_unfinished_character_goes_and_all_before_it_stays(tmp_path, text, whole):
    tokenizer = signatures_of(tmp_path, [row("a")], unit="byte").vocabularies.tokenizer("text")
    token_ids = tf.ragged.constant([[byte + 4 for byte in text], [], [byte + 4 for byte in whole]], dtype=tf.int32)
    cut = tokenizer.whole_characters(token_ids).to_list()
    assert [bytes(token - 4 for token in tokens) for tokens in cut] == [whole, b"", whole]


def test_words_go_on_with_the_blank_before_them(tmp_path):
    signatures = signatures_of(tmp_path, [row("one two three one two")], unit="word")
    texts = [text.decode() for text in generate(signatures, ["one"] * 10, seed=list(range(10)))["text"]]
    assert all(text[0] == " " for text in texts if text)
    assert any(text.strip() for text in texts)
    assert not any(text.startswith(" ") for text in map(bytes.decode, generate(signatures, [""])["text"]))


# === How probable texts are ===


def log_prob_by_hand(signatures, read: list[int], predicted: int) -> float:
    """The log probability of the last tokens of a sequence, read step by step."""
    cache, total = signatures.model.start(1, len(read)), 0.0
    for place, (token, following) in enumerate(itertools.pairwise(read)):
        logits, cache = signatures.model.next_token(tf.constant([token]), cache)
        if place >= len(read) - 1 - predicted:
            logits = logits[0].numpy().astype(np.float64)
            total += logits[following] - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
    return total


def test_a_text_by_itself_counts_its_end(signatures):
    texts = ["abc", "", "h\n  é"]
    answer = signatures.score(tf.constant(texts))
    tokens = signatures.vocabularies.tokenizer("text").tokenize(texts).to_list()
    by_hand = [log_prob_by_hand(signatures, [START_TOKEN_ID, *ids, END_TOKEN_ID], len(ids) + 1) for ids in tokens]
    np.testing.assert_allclose(answer["log_prob"], by_hand, rtol=1e-4)
    assert answer["num_units"].numpy().tolist() == [4, 1, 6]
    assert answer["num_characters"].numpy().tolist() == [3, 0, 5]
    assert answer["num_bytes"].numpy().tolist() == [3, 0, 6]
    np.testing.assert_allclose(tf.reduce_sum(answer["token_log_probs"], axis=1), by_hand, rtol=1e-4)
    assert answer["pieces"].numpy()[0].tolist() == [b"a", b"b", b"c", b"[END]", b"", b""]


def test_a_passage_is_judged_behind_what_stands_before_it(tmp_path):
    signatures = signatures_of(tmp_path, [row("abc def\n  ghi")], batch_size=2, sequence_length=4)
    tokenizer = signatures.vocabularies.tokenizer("text")
    cases = [("abc", "", "yes"), ("c def", "ab", "yes"), ("ghi", "def\n  ", ""), ("abc", "", "")]
    serialized = []
    for values in cases:
        example = tf.train.Example()
        for name, value in zip(("text", "context", "continues"), values, strict=True):
            example.features.feature[name].bytes_list.value.append(value.encode())
        serialized.append(example.SerializeToString())
    answer = signatures.examples(tf.constant(serialized))
    for number, (text, context, continues) in enumerate(cases):
        before = tokenizer.tokenize([context]).to_list()[0] if context else [START_TOKEN_ID]
        behind = tokenizer.tokenize([text]).to_list()[0] + ([] if continues else [END_TOKEN_ID])
        assert int(answer["num_units"][number]) == len(behind)
        by_hand = log_prob_by_hand(signatures, before + behind, len(behind))
        assert float(answer["log_prob"][number]) == pytest.approx(by_hand, rel=1e-4)
    # A model of a stream takes a text for any stretch.
    assert signatures.score(tf.constant(["abc"]))["num_units"].numpy().tolist() == [3]


def test_many_texts_are_scored_as_one_by_one(signatures):
    texts = [text[:length] for length in range(1, 10) for text in ("abc def g", "hhh\n ihg a")] * 2
    answer = signatures.score(tf.constant(texts))["log_prob"]
    np.testing.assert_allclose(answer, [signatures.score(tf.constant([text]))["log_prob"][0] for text in texts], 1e-4)


@pytest.mark.parametrize("unit", ["character", "byte"])
def test_texts_come_back_byte_for_byte(tmp_path, unit):
    text = "First  Citizen:\n\n\tSpeak, ﬁne ½ é\r\n"
    tokenizer = signatures_of(tmp_path, [row(text)], unit=unit).vocabularies.tokenizer("text")
    assert tokenizer.detokenize(tokenizer.tokenize_whole([text])).numpy().tolist() == [text.encode()]


def test_a_model_of_a_stream_is_exported_without_its_rows(tmp_path):
    """Any number of prompts may come, whatever the batch size was."""
    settings, vocabularies, _, model = ready(tmp_path, passages_of("abcabd" * 9), batch_size=3, sequence_length=4)
    export(model, settings, vocabularies, str(tmp_path / "model"), {"code_version": "0", "metrics": {}})
    loaded = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    assert len(loaded(prompt=tf.constant(["a", "", "ab", "b"]))["text"]) == 4
