"""What the client asks models of each task, against the real server."""

from concurrent import futures
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from serving.client import Client
from serving.client_answers import (
    Audio,
    Completion,
    FilledText,
    Similarity,
    SimilarWords,
    Span,
    TextClass,
    TextScore,
    Token,
    TransformedText,
)
from serving.client_tags import spans_of
from serving.errors import FailedPreconditionError, InvalidRequestError
from serving.server import Server
from serving.settings import ServingSettings
from tests.serving import saved_models, task_models
from tests.serving.conftest import QUICK


def _save_echo(folder: Path) -> Path:
    """A task that this client does not know."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def echo(text):
        return {"text": text}

    return saved_models.save(folder, serving_default=echo)


_TASKS = {
    "text_to_text": task_models.save_text_to_text,
    "language_modeling": task_models.save_language_model,
    "masked_language_modeling": task_models.save_masked_language_model,
    "word_embedding": task_models.save_word_embedding,
    "sequence_labeling": task_models.save_sequence_labeler,
    "audio_generation": task_models.save_audio_generator,
    "audio_classification": task_models.save_audio_classifier,
    "examples": saved_models.save_examples,
    "text_classification": saved_models.save_text_classifier,
    "echo": _save_echo,
}


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    """Client of one server that has a model of every task, by the name of the task."""
    folder = tmp_path_factory.mktemp("tasks")
    models = []
    for name, save in _TASKS.items():
        save(folder / name / "1")
        models.append(f'config {{name: "{name}" base_path: "{folder / name}" model_platform: "tensorflow"}}')
    config = folder / "models.pbtxt"
    config.write_text(f"model_config_list {{{' '.join(models)}}}")
    # A wait that makes requests of the same time share a batch.
    batching = {"batch_timeout_micros": 50_000, "max_batch_size": 64}
    settings = {**QUICK, "models": {"config_file": str(config)}, "batching": batching}
    with Server("", "", ServingSettings(**settings)) as server:
        server.wait_until_available(30)
        with Client(server.address, "none") as client:
            yield lambda name: client.at(model_name=name)


def test_prompts_go_on_with_seeds_and_stop_strings_of_their_own(clients):
    client = clients("language_modeling")
    drawn = client.complete(["a", ""], 0.5, top_k=3, top_p=0.9, max_length=7, seed=4, stop=["x", "y z"])
    assert drawn == [
        Completion("a 0.5 0.9 3 7 4 x|y z", pytest.approx(-0.5), "stop"),
        Completion(" 0.5 0.9 3 7 5 x|y z", pytest.approx(-0.5), "stop"),
    ]
    assert client.complete(["a"], stop="END")[0].text == "a 1.0 1.0 0 200 0 END"
    assert client.complete(["a"])[0].reason == "length"
    assert client.complete([]) == []


def test_texts_are_scored_token_by_token_without_the_padding(clients):
    found = clients("language_modeling").score_texts(["ab c", "abc", ""])
    assert found == [
        TextScore(-3.0, 2, ["ab", "c"], [-2.0, -1.0]),
        TextScore(-3.0, 1, ["abc"], [-3.0]),
        TextScore(0.0, 0, [], []),
    ]
    assert [score.perplexity for score in found] == pytest.approx([np.exp(1.5), np.exp(3), 1])


def test_holes_are_filled_and_texts_become_vectors(clients):
    client = clients("masked_language_modeling")
    scores = {"x": 0.5, "y": 0.25, "": 0.0625}
    assert client.fill(["a [MASK] b[MASK]", "none", "[MASK]"]) == [
        FilledText("a x bx", [scores, scores]),
        FilledText("none", []),
        FilledText("x", [scores]),
    ]
    assert [vector.tolist() for vector in client.embed_texts(["ab", ""])] == [[1, 0.5], [0, 0]]
    assert client.fill([]) == client.embed_texts([]) == []


def test_all_beams_are_given_best_first(clients):
    targets = clients("text_to_text").generate_targets(["abc", "x"], beam_width=2, length_penalty=0.5, max_length=2)
    assert targets == [
        [TransformedText("ab0", -0.5), TransformedText("ab1", -1.5)],
        [TransformedText("x0", -0.5), TransformedText("x1", -1.5)],
    ]


@pytest.mark.parametrize(
    ("task", "ask"),
    [
        ("text_to_text", lambda client, size: client.generate_targets(["a"], size, 0.0, 5)[0]),
        ("audio_generation", lambda client, size: client.generate_audio(size, [1], labels=["seven"])[0].samples),
    ],
)
def test_requests_that_share_a_batch_get_what_they_asked_for(clients, task, ask):
    client, sizes = clients(task), (1, 3, 5)
    with futures.ThreadPoolExecutor(len(sizes)) as pool:
        answers = pool.map(lambda size: ask(client, size), sizes)
        assert [len(answer) for answer in answers] == [1, 3, 5]


def test_attention_is_given_for_real_pieces_alone(clients):
    short, long = clients("text_to_text").attend(["a", "a b c"], ["x", "x y"])
    assert (short.source_pieces, short.target_pieces) == (["a"], ["x", "[END]"])
    assert short.weights.tolist() == [[1], [0]]
    assert long.target_pieces == ["x", "y", "[END]"]
    assert np.array_equal(long.weights, np.eye(3))


def test_words_that_are_alike_are_found_and_unknown_ones_named(clients):
    client = clients("word_embedding")
    assert client.neighbors(["king", "x"], k=2) == [
        SimilarWords({"king0": 0.5, "king1": 0.5}, ""),
        SimilarWords({}, "x"),
    ]
    assert client.analogy(["a"], ["b"], ["c"], k=1) == [SimilarWords({"abc0": 0.25}, "")]
    assert client.analogy(["a"], ["b"], ["c"], k=1, multiplicative=True) == [SimilarWords({"abc0": 1.25}, "")]
    assert client.similarity(["ab"], ["c"]) == [Similarity(3.0, "")]
    assert client.neighbors([]) == []


def test_words_have_vectors_and_padding_none(clients):
    first, second = clients("word_embedding").embed(["one x three", "two"])
    assert (first.words, first.known, first.vectors.tolist()) == (
        ["one", "x", "three"],
        [True, False, True],
        [[3], [1], [5]],
    )
    assert (second.words, second.vectors.tolist()) == (["two"], [[3]])


def test_texts_are_tagged_and_can_be_marked_up(clients):
    texts = ["Zo\u00eb  Lee sang \U0001f602 in \u6771\u4eac K\u00f6ln", "", "no name"]
    first, empty, none = clients("sequence_labeling").tag_texts(texts)
    assert [(token.text, token.tag) for token in first.tokens[:3]] == [
        ("Zo\u00eb", "B-name"),
        ("Lee", "I-name"),
        ("sang", "O"),
    ]
    assert all(first.text[token.start : token.end] == token.text for token in first.tokens)
    assert first.spans == [
        Span("name", "Zo\u00eb  Lee", 0.5, 0, 8),
        Span("name", "K\u00f6ln", 0.75, len(texts[0]) - 4, len(texts[0])),
    ]
    assert (empty.tokens, empty.spans, none.spans) == ([], [], [])
    assert [token.score for token in none.tokens] == [0.875] * 2


def test_tokens_that_are_cut_already_are_tagged(clients):
    client = clients("sequence_labeling")
    long, short, empty = client.tag_tokens([["Ann", "Lee", "sang"], ["Bob"], []])
    assert (long.text, long.spans) == ("Ann Lee sang", [Span("name", "Ann Lee", 0.5, 0, 7)])
    assert short.tokens == [Token("Bob", "B-name", 0.75, 0, 3)]
    assert empty.tokens == []
    assert [each.tokens for each in client.tag_tokens([[]])] == [[]]
    with pytest.raises(InvalidRequestError, match="a list of tokens for each text"):
        client.tag_tokens(["Ann sang"])


def test_tags_mark_spans():
    def spans(*tags):
        tokens = [Token(str(place), tag, 1.0, place, place + 1) for place, tag in enumerate(tags)]
        return [(span.label, span.text) for span in spans_of("0123456", tokens)]

    assert spans("B-a", "I-a", "B-a", "O", "B-b") == [("a", "01"), ("a", "2"), ("b", "4")]
    assert spans("NOUN", "NOUN", "O", "X-y") == [("NOUN", "0"), ("NOUN", "1"), ("X-y", "3")]


def test_audio_is_generated(clients):
    first, second = clients("audio_generation").generate_audio(16, [25, 5], temperature=2.0, labels=["seven", ""])
    assert isinstance(first, Audio)
    assert (first.sample_rate, first.samples.dtype, first.samples.tolist()) == (8000, np.float32, [0.5] * 16)
    assert second.samples.shape == (16,)


def test_audio_is_classified(clients):
    client = clients("audio_classification")
    assert client.classify_audio(np.array([0.1, -0.9])) == TextClass("loud", {"quiet": 0.25, "loud": 0.75})
    assert client.classify_audio(np.array([0.1, 0.2, 0.3])).label == "quiet"


def test_examples_are_classified_and_regressed(clients):
    client = clients("examples")
    assert client.classify([{"x": 2.0}, {"x": [4.0]}], "classify") == [
        [("low", -3.0), ("high", 3.0)],
        [("low", -4.0), ("high", 4.0)],
    ]
    assert client.classify([{"x": 2.0}]) == [[("", 3.0)]]
    assert client.regress([{"x": 2.0}, {"x": np.float64([4])}], "regress") == [3.0, 4.0]


def test_examples_share_a_context_and_their_own_features_win(clients):
    client = clients("examples")
    assert client.regress([{}, {"x": 4.0}], "regress", context={"x": 2.0}) == [3.0, 4.0]
    assert client.classify([{}], context={"x": 2.0}) == [[("", 3.0)]]


def test_several_signatures_are_asked_at_once(clients):
    answers = clients("examples").multi_inference([{"x": 2.0}], classify=["classify"], regress=["regress"])
    assert answers == {"classify": [[("low", -3.0), ("high", 3.0)]], "regress": [3.0]}


def test_refusals_of_examples_come_as_errors_by_meaning(clients):
    client = clients("examples")
    with pytest.raises(InvalidRequestError, match="^Input is empty.$"):
        client.classify([])
    with pytest.raises(InvalidRequestError, match="No signature was found with the name: other"):
        client.regress([{"x": 1.0}], "other")
    with pytest.raises(InvalidRequestError, match="Feature: x"):
        client.regress([{"y": 1.0}], "regress")


def test_a_model_of_another_task_is_noticed(clients):
    with pytest.raises(InvalidRequestError, match="input size does not match|not found in request"):
        clients("text_to_text").classify_texts(["a"])
    with pytest.raises(FailedPreconditionError, match="label, classes, scores, got text: it has another task"):
        clients("echo").classify_texts(["a"])


def test_a_single_text_is_no_list_of_texts(clients):
    with pytest.raises(InvalidRequestError, match=r"write \['good'\]"):
        clients("text_classification").classify_texts("good")


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.generate_targets([], 1, 0.0, 1),
        lambda client: client.attend([], []),
        lambda client: client.tag_texts([]),
        lambda client: client.tag_tokens([]),
        lambda client: client.generate_audio(1, []),
    ],
)
def test_without_inputs_nothing_is_sent(ask):
    with Client("127.0.0.1:1", "m") as nobody:
        assert ask(nobody) == []
        assert nobody.multi_inference([{"x": 1.0}]) == {}
