"""Which request an example makes."""

import numpy as np
import pytest

from components.requests import InputSpec, as_question, features_of, form_inputs, requests_of, row_of, signature_specs
from models.description import ModelDescription
from models.features import Feature
from models.registry import TASKS
from serving.wire.messages import SignatureDefMap
from serving.wire.values import to_example

TEXT, NUMBER = InputSpec(np.dtype(object), 1), InputSpec(np.dtype(np.int32), 1)
FRACTION, SOUND = InputSpec(np.dtype(np.float32), 1), InputSpec(np.dtype(np.float32), 2)
FILMS = [to_example({"text": text, "label": "pos"}).SerializeToString() for text in ("good good film", "good")]
DIGITS = [
    to_example({"audio": np.full(length, 0.5, np.float32), "label": label}).SerializeToString()
    for length, label in ((3, "one"), (5, "two"))
]
PROBES = {"num_samples": 2, "temperature": 0.0, "seed": 1}


def described(task: str, probes: dict[str, float]) -> ModelDescription:
    return ModelDescription(name="m", task=task, architecture="a", settings={}, request_defaults=probes)


def test_requests_are_formed_from_features_of_one_text():
    films = [row_of(film) for film in FILMS]
    assert form_inputs({"text": TEXT}, films)["text"][1] == b"good"
    assert form_inputs({"examples": TEXT}, films)["examples"][1] == FILMS[1]
    assert form_inputs({"inputs": TEXT}, films)["inputs"][1] == FILMS[1]
    assert form_inputs({"text": TEXT, "beam_width": NUMBER}, films) is None
    assert form_inputs({"source": TEXT}, films) is None
    assert form_inputs({"text": InputSpec(np.dtype(object), 0)}, films) is None
    assert form_inputs({"text": InputSpec(np.dtype(object), None)}, films) is None
    assert form_inputs({"text": NUMBER}, films) is None
    assert form_inputs({}, films) is None
    several = row_of(to_example({"text": ["a", "b"]}).SerializeToString())
    assert form_inputs({"text": TEXT}, [several]) is None


def test_lists_are_padded_to_the_longest():
    rows = [{"tokens": ["a", "b"], "audio": [0.5]}, {"tokens": ["c"], "audio": [0.25, 1.0]}]
    inputs = form_inputs({"tokens": InputSpec(np.dtype(object), 2), "audio": SOUND}, rows)
    assert inputs["tokens"].tolist() == [[b"a", b"b"], [b"c", b""]]
    assert inputs["audio"].tolist() == [[0.5, 0.0], [0.25, 1.0]]


@pytest.mark.parametrize("maker", [None, described("sequence_labeling", {})])
def test_many_texts_are_also_asked_as_one(maker):
    rows = [["Zo\u00eb", "sings", "!"], ["one"], []]
    examples = [to_example({"tokens": tokens, "tags": ["O"] * len(tokens)}).SerializeToString() for tokens in rows]
    signatures = {"serving_default": {"text": TEXT}, "pretokenized": {"tokens": InputSpec(np.dtype(object), 2)}}
    requests = requests_of(maker, signatures, examples)
    assert requests["serving_default"]["text"].tolist() == ["Zo\u00eb sings !".encode(), b"one", b""]
    assert requests["pretokenized"]["tokens"].tolist() == [
        ["Zo\u00eb".encode(), b"sings", b"!"],
        [b"one", b"", b""],
        [b"", b"", b""],
    ]
    assert requests_of(maker, signatures, examples[2:])["pretokenized"]["tokens"].shape == (1, 0)


def test_a_setting_is_the_same_for_all_rows_but_those_that_have_their_own():
    rows = [{"text": "a", "seed": 7}, {"text": "b", "seed": 8}]
    inputs = form_inputs({"text": TEXT, "seed": NUMBER, "width": FRACTION}, rows, settings={"seed": 1, "width": 0.5})
    assert (inputs["seed"].tolist(), inputs["width"].tolist()) == ([7, 8], [0.5, 0.5])
    assert (inputs["seed"].dtype, inputs["width"].dtype) == (np.int32, np.float32)


def test_a_recording_is_scored_whole():
    signatures = {
        "serving_default": {"num_samples": NUMBER, "temperature": FRACTION, "seed": NUMBER, "label": TEXT},
        "score": {"audio": SOUND, "num_samples": NUMBER, "label": TEXT},
        "copy": {"audio": SOUND, "num_samples": NUMBER, "temperature": FRACTION, "seed": NUMBER},
        "other": {"audio": SOUND, "volume": FRACTION},
    }
    requests = requests_of(described("audio_generation", PROBES), signatures, DIGITS)
    assert set(requests) == {"serving_default", "score", "copy"}
    assert requests["score"]["num_samples"].tolist() == [3, 5]
    assert requests["score"]["audio"].tolist() == [[0.5] * 3 + [0.0] * 2, [0.5] * 5]
    assert requests["serving_default"]["num_samples"].tolist() == [2, 2], "little work, where sound is made"
    assert requests["copy"]["num_samples"].tolist() == [2, 2]
    long = requests_of(described("audio_generation", PROBES | {"num_samples": 4}), signatures, DIGITS)
    assert long["copy"]["num_samples"].tolist() == [3, 4], "no more than there is"


@pytest.mark.parametrize("description", [None, described("of_a_later_version", {})])
def test_a_model_that_does_not_say_what_it_is_is_asked_by_the_names_of_its_inputs(description):
    requests = requests_of(description, {"hear": {"audio": SOUND, "num_samples": NUMBER}}, DIGITS)
    assert requests["hear"]["num_samples"].tolist() == [3, 5]
    assert Feature("source", "text") in features_of(description)
    assert requests_of(description, {"generate": {"label": TEXT, "seed": NUMBER}}, DIGITS) == {}


def test_a_signature_is_read_as_the_server_describes_it():
    signatures = SignatureDefMap()
    inputs = signatures.signature_def["s"].inputs
    for name, dtype, rank in (("text", 7, 1), ("audio", 1, 2), ("any", 3, None), ("resource", 20, 0)):
        inputs[name].dtype = dtype
        if rank is None:
            inputs[name].tensor_shape.unknown_rank = True
        for _ in range(rank or 0):
            inputs[name].tensor_shape.dim.add(size=-1)
    assert signature_specs(signatures.signature_def["s"]) == {
        "text": TEXT,
        "audio": SOUND,
        "any": InputSpec(np.dtype(np.int32), None),
        "resource": InputSpec(None, 0),
    }


def test_a_prompt_is_the_beginning_of_a_text():
    play = to_example({"text": "Wörds, words, words, words, words", "context": "", "continues": "yes"})
    signatures = {
        "serving_default": {"prompt": TEXT},
        "generate": {"prompt": TEXT, "max_length": NUMBER, "stop": TEXT},
        "score": {"text": TEXT},
    }
    probes = described("language_modeling", {"max_length": 16.0, "stop": ""})
    requests = requests_of(probes, signatures, [play.SerializeToString()])
    assert requests["serving_default"]["prompt"][0].decode() == "Wörds, words, words, wor"
    assert requests["generate"]["max_length"].tolist() == [16]
    assert requests["generate"]["stop"].tolist() == [b""]
    assert requests["score"]["text"][0].decode() == "Wörds, words, words, words, words"


def test_a_hole_stands_in_the_place_of_a_word():
    features = TASKS["masked_language_modeling"].features
    asked = {text: as_question({"text": text}, features)["text"] for text in (b"a b c", b"a", b"")}
    assert asked == {b"a b c": b"a [MASK] c", b"a": b"[MASK]", b"": b""}


def test_inputs_that_take_a_word_get_those_of_the_text():
    signatures = {"analogy": {"a": TEXT, "b": TEXT, "c": TEXT, "k": NUMBER}, "similarity": {"a": TEXT, "b": TEXT}}
    requests = requests_of(described("word_embedding", {"k": 3}), signatures, FILMS)
    assert {name: values.tolist() for name, values in requests["analogy"].items()} == {
        "a": [b"good", b"good"],
        "b": [b"good", b""],
        "c": [b"film", b""],
        "k": [3, 3],
    }
    assert requests["similarity"]["b"].tolist() == [b"good", b""]
    assert requests_of(described("text_classification", {"k": 3}), signatures, FILMS) == {}
