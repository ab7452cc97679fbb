"""What holds for every task with every architecture that can solve it: a new line in the registry is tested by itself.

Each pair is built, exported and asked once; the tests read what came of it.
"""

import dataclasses
import functools
import pathlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.evaluation.catalogue import METRICS, PER_CLASS
from components.example_gen.records import texts_of
from components.requests import requests_of
from components.sameness import Tensors, find_difference
from components.serving_validator.answers import requests_and_answers, specs_of, to_tensor
from models.bodies import load_bodies, save_bodies
from models.description import ModelDescription
from models.export import export
from models.features import learned_features
from models.input_pipeline import evaluation_batches
from models.registry import ARCHITECTURES, TASKS
from models.run_settings import RunSettings
from models.settings import markers_of
from models.tasks.code import TaskCode
from models.tasks.signatures import Signatures
from models.tokenizers.cut_words import learn_words
from models.tokenizers.vocabularies import Vocabularies, counts_of, learn_vocabulary, split_units
from models.training import build_model
from pipeline.serve import answers
from serving.core.padded_outputs import cut, read_padded_axes

pytestmark = pytest.mark.minutes
RATE = 1000
# Settings of architectures that bring other layers or signatures with them; {} stands for the defaults. Tasks that have
# no use for one of the keys are left out.
VARIANTS = {
    "recurrent": [
        {},
        {"cell": "gru", "bidirectional": False, "connections": "residual", "pooling": "last"},
        {"layer_normalization": True, "recurrent_dropout": 0.2, "connections": "dense", "pooling": "attention"},
    ],
    "gated_conv": [{}, {"squeeze_excitation": 2, "dilation": True, "pooling": "max"}],
    "seq2seq": [
        {},
        {"attention": "luong_general", "embedding_dim": 6, "tie_embeddings": True},
        {"attention": "gated", "cell": "gru", "connections": "highway", "layer_normalization": True},
    ],
    "gnmt": [{"num_layers": 3}],
    "transformer": [
        {},
        {"norm": "before", "positions": "rotary", "activation": "gated", "num_heads": 3, "share_embeddings": True},
    ],
    "wavenet": [
        {},
        {"condition_on": ["label"]},
        {"condition_on": ["label"], "local_features": "log_mel", "num_mel_bins": 5, "frame_step": 10},
    ],
}


def has_use(task: str, architecture: str, variant: dict) -> bool:
    """Whether a configuration may say this of the model."""
    fields = ARCHITECTURES[architecture].settings.model_fields
    uses = [markers_of(fields[name]).get("only_for") for name in variant]
    return all(use in (None, *TASKS[task].all_uses) for use in uses)


def first_task(architecture: str, variant: dict) -> str:
    """The first task of the table that a variant of an architecture can solve."""
    solved = (task for task in TASKS if ARCHITECTURES[architecture].solves(TASKS[task]))
    return next(task for task in solved if has_use(task, architecture, variant))


# Every pair with its defaults, and each variant with the first task that it can solve.
PAIRS = [
    pytest.param((task, architecture, variant), id="-".join([task, architecture, *map(str, variant)]))
    for task in TASKS
    for architecture in ARCHITECTURES
    if ARCHITECTURES[architecture].solves(TASKS[task])
    for number, variant in enumerate(VARIANTS.get(architecture, [{}]))
    if has_use(task, architecture, variant) and (number == 0 or task == first_task(architecture, variant))
]
# Sizes that keep a model small; each architecture takes those that it has.
SMALL = {
    "embedding_dim": 4,
    "hidden_dim": 6,
    "num_layers": 2,
    "skip_dim": 8,
    "dilation_depth": 3,
    "num_stacks": 1,
    "num_heads": 2,
    "feed_forward_dim": 5,
    "context_length": 4,
    "subsampling": 0,
}
# Raw values by kind: the first ones in full, one that is empty, and one longer than all others.
VALUES = {
    "text": ["ab cd", "b", "", "dc ba. abcd abcd bb"],
    "label": ["no", "yes", "no", "yes"],
    "note": ["", "b a", "", "yes"],
    "audio": [np.sin(np.arange(length) / 9).astype(np.float32) for length in (40, 25, 0, 130)],
    "tokens": [["ab", "cd"], ["b"], [], ["dc", "Ba!", "abcd", "ab", "b", "x"]],
    "tags": [["O", "B-x"], ["B-x"], [], ["B-x", "I-x", "B-y", "I-y", "O", "O"]],
}


@dataclasses.dataclass(frozen=True)
class Made:
    """A pair, built with random weights and exported."""

    code: TaskCode
    settings: RunSettings
    vocabularies: Vocabularies
    model: keras.Model
    signatures: Signatures
    folder: pathlib.Path

    @functools.cached_property
    def exported(self) -> Mapping[str, Any]:
        """The signatures as TensorFlow loads them, once for all tests of the pair."""
        return tf.saved_model.load(str(self.folder)).signatures

    @property
    def examples(self) -> list[bytes]:
        return [raw_example(self.code, row) for row in range(4)]


def small_settings(task: str, architecture: str, variant: dict, precision: str = "float32") -> RunSettings:
    fields = ARCHITECTURES[architecture].settings.model_fields
    model = {"architecture": architecture} | {name: value for name, value in SMALL.items() if name in fields}
    values = {"name": "toy", "task": task, "model": model | variant, "audio": {"sample_rate": RATE}}
    values |= {"training": {"precision": precision}, "decoding": {"max_length": 6, "coverage_penalty": 0.2}}
    unit = (TASKS[task].units or ("character",))[0]
    return RunSettings.model_validate(values | {"tokenizer": {"unit": unit}})


def learned(settings: RunSettings) -> Vocabularies:
    features = TASKS[settings.task].features
    units = split_units(tf.constant(VALUES["text"]), settings.tokenizer).flat_values.numpy()
    counts = Counter(unit.decode() for unit in units)
    pieces = {name: learn_vocabulary(counts, settings.tokenizer) for name in learned_features(features, "pieces")}
    counted = {name: counts_of(found, counts) for name, found in pieces.items()}
    categories = {}
    for feature in features:
        if feature.facts.learned == "categories":
            values = VALUES[feature.kind]
            categories[feature.name] = sorted(set(sum(values, []) if feature.facts.many else values))
    words = {
        name: learn_words(Counter(sum(VALUES["tokens"], [])), settings.tokenizer)
        for name in learned_features(features, "words")
    }
    kept, characters = ({name: pair[place] for name, pair in words.items()} for place in (0, 1))
    return Vocabularies(settings.tokenizer, pieces, categories, counted, kept, characters)


def raw_example(code: TaskCode, row: int) -> bytes:
    """What ExampleGen writes."""
    example = tf.train.Example()
    for feature in code.task.features:
        value, stored = VALUES[feature.kind][row], example.features.feature[feature.name]
        if feature.facts.stored == "bytes":
            stored.bytes_list.value.extend(text.encode() for text in texts_of(value))
        else:
            stored.float_list.value.extend(value)
    return example.SerializeToString()


def made(settings: RunSettings, folder: pathlib.Path) -> Made:
    code = TASKS[settings.task].code()
    vocabularies = learned(settings)
    keras.utils.set_random_seed(3)
    model = build_model(settings, vocabularies)
    # Not the zeros of fresh biases, under which padding would look like nothing.
    rng = np.random.default_rng(3)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(0, 0.3, weight.shape))
    export(model, settings, vocabularies, str(folder), {"code_version": "0", "metrics": {}})
    return Made(code, settings, vocabularies, model, code.signatures(model, vocabularies, settings), folder)


@pytest.fixture(scope="module", params=PAIRS, name="pair")
def _pair(request, tmp_path_factory) -> Made:
    return made(small_settings(*request.param), tmp_path_factory.mktemp("pair") / "model")


def transformed_of(made: Made) -> tf.data.Dataset:
    """The raw examples through `preprocess`, row by row, as training reads them."""

    def rows():
        for row in range(4):
            raw = {
                feature.name: tf.constant([texts_of(VALUES[feature.kind][row])], tf.string)
                if feature.facts.stored == "bytes"
                else tf.constant([VALUES[feature.kind][row]])
                for feature in made.code.task.features
            }
            features = made.code.preprocess(raw, made.vocabularies)
            assert set(features) == set(made.code.transformed)
            yield {
                name: tf.cast(values, tf.int32) if values.dtype.is_integer else values
                for name, value in features.items()
                for values in [value.values if isinstance(value, tf.SparseTensor) else value[0]]
            }

    signature = {
        name: tf.TensorSpec([None] if feature.sequence else [], tf.int32 if feature.dtype.is_integer else feature.dtype)
        for name, feature in made.code.transformed.items()
    }
    return tf.data.Dataset.from_generator(rows, output_signature=signature)


def test_one_step_of_training_moves_every_weight_by_finite_numbers(pair):
    code = pair.code.for_run(pair.settings, pair.vocabularies)
    examples = code.training_examples(transformed_of(pair), pair.settings)
    [batch] = evaluation_batches(code, examples, 4, [1000]).take(1)
    model = build_model(pair.settings, pair.vocabularies)
    model.compile(optimizer=keras.optimizers.SGD(0.1), jit_compile=False, **pair.code.compile_arguments(pair.settings))
    # Not the small weights of a fresh model, under which a step may be lost in rounding.
    model.set_weights(pair.model.get_weights())
    before = {weight.path: np.array(weight) for weight in model.trainable_variables}
    losses = model.fit(tf.data.Dataset.from_tensors(batch), verbose=0).history
    assert all(np.isfinite(values).all() for values in losses.values())
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert [weight.path for weight in model.trainable_variables if np.all(before[weight.path] == weight)] == []


def test_the_answer_has_a_form_for_people(pair):
    outputs = pair.exported["serving_default"].structured_outputs
    assert any(set(names) <= set(outputs) for names in answers.RENDERERS)


def test_the_settings_name_the_architecture(pair):
    name = pair.settings.model.architecture
    assert ARCHITECTURES[name].settings().architecture == name


def test_every_signature_is_asked_alone_and_together_with_the_same_answers(pair):
    """With an empty example among them: padding and batch-mates change nothing, and nothing empty is an error.

    Cut by what the description says of its outputs, an answer does not show that others were asked beside it.
    """
    loaded = pair.exported
    specs = {name: specs_of(signature) for name, signature in loaded.items()}
    description, padded_axes = ModelDescription.read(pair.folder), read_padded_axes(pair.folder)

    def ask(signature: str, examples: list[bytes]) -> tuple[Tensors, Tensors]:
        inputs = requests_of(description, specs, examples)[signature]
        tensors = {name: to_tensor(values) for name, values in inputs.items()}
        answer = loaded[signature](**tensors)
        return _plain(tensors), _plain(answer)

    def cut_shapes(signature: str, inputs: Tensors, answer: Tensors) -> dict[str, tuple[int, ...]]:
        shorter = cut(answer, inputs, padded_axes.get(signature, []))
        return {name: values.shape for name, values in shorter.items()}

    assert set(specs) == set(pair.signatures.endpoints())
    for signature in asked_by_people(pair):
        together = ask(signature, pair.examples)
        for row, example in enumerate(pair.examples):
            alone = ask(signature, [example])
            beside = [{name: values[row : row + 1] for name, values in each.items()} for each in together]
            assert find_difference(alone[1], beside[1], "alone", "together") is None, (signature, row)
            assert cut_shapes(signature, *alone) == cut_shapes(signature, *beside), (signature, row)


def asked_by_people(made: Made) -> dict[str, Any]:
    """All signatures but those of `tests/models/tasks/test_text_streams.py`."""
    internal = ModelDescription.read(made.folder).streaming_signatures
    return {name: each for name, each in made.signatures.endpoints().items() if name not in internal}


def _plain(tensors: dict[str, tf.Tensor]) -> Tensors:
    return {name: value.numpy() for name, value in tensors.items()}


def test_an_export_answers_as_keras_does(pair):
    requests, answers = requests_and_answers(pair.folder, pair.examples)
    for name, (function, specs) in asked_by_people(pair).items():
        arguments = [tf.constant(requests[name][spec.name], spec.dtype) for spec in specs]
        for output, value in function(*arguments).items():
            if value.dtype.is_floating:
                np.testing.assert_allclose(
                    answers[name][output], value, atol=1e-4, rtol=1e-4, err_msg=f"{name} {output}"
                )
            else:
                np.testing.assert_array_equal(answers[name][output], value, err_msg=f"{name} {output}")


def test_every_input_has_a_batch_dimension_first(pair):
    for signature in pair.exported.values():
        for spec in signature.structured_input_signature[1].values():
            assert spec.shape.rank >= 1
            assert spec.shape[0] is None


def test_what_is_judged_is_answered_and_every_metric_is_known(pair):
    judging = pair.code.task.judging
    outputs = pair.exported["examples"].structured_outputs
    assert judging.prediction_key in outputs
    assert judging.label_key in {feature.name for feature in pair.code.task.features}
    assert set(judging.metrics) <= set(METRICS)
    assert set(judging.per_class) <= set(PER_CLASS)


def test_the_description_lists_what_each_request_may_decide(pair):
    described = ModelDescription.read(pair.folder)
    named = {setting.name: setting for setting in described.request_settings}
    assert set(named) == {setting.name for setting in pair.code.task.request_settings}
    sizes = {name: len(s.default) if isinstance(s.default, str) else s.default for name, s in named.items()}
    assert all(setting.least <= sizes[name] <= setting.most for name, setting in named.items())
    inputs = {spec.name for _, specs in pair.signatures.endpoints().values() for spec in specs}
    assert set(named) <= inputs


def test_the_bodies_are_the_roles_and_come_back_from_their_files(pair, tmp_path):
    bodies = pair.code.bodies(pair.model)
    assert set(bodies) == set(pair.code.task.roles)
    save_bodies(bodies, tmp_path)
    fresh = build_model(pair.settings, pair.vocabularies)
    assert load_bodies(pair.code.bodies(fresh), tmp_path) == list(bodies)
    for role, body in pair.code.bodies(fresh).items():
        for ours, theirs in zip(body.get_weights(), bodies[role].get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


DECODERS = [pytest.param(name, id=name) for name, entry in ARCHITECTURES.items() if "decoder" in entry.roles]


@pytest.mark.parametrize("architecture", DECODERS)
@pytest.mark.parametrize("has_source", [True, False])
def test_a_decoder_step_by_step_equals_the_whole(architecture, has_source):
    fields = ARCHITECTURES[architecture].settings.model_fields
    sizes = {name: value for name, value in SMALL.items() if name in fields}
    settings = ARCHITECTURES[architecture].settings(**sizes)
    encoder, decoder = (ARCHITECTURES[architecture].play(role, settings) for role in ("encoder", "decoder"))
    rng = np.random.default_rng(1)
    source, vectors = (tf.constant(rng.normal(size=(3, length, 4)), tf.float32) for length in (5, 7))
    padding_mask = tf.sequence_mask([5, 2, 4], 5)
    decoder.build((None, None, 4))
    memory, final_states = None, None
    if has_source:
        hidden_states, final_states = encoder(source, padding_mask)
        memory = decoder.remember(hidden_states, padding_mask)
    cache = decoder.start(3, 7, final_states)
    shapes = [tensor.shape for tensor in tf.nest.flatten(cache)]
    assert {shape[0] for shape in shapes} == {3}
    whole, weights = decoder(vectors, cache, memory)
    advanced, halfway, _ = decoder.advance(vectors[:, :4], cache, memory)
    rest, *_ = decoder.advance(vectors[:, 4:], halfway, memory)
    np.testing.assert_allclose(tf.concat([advanced, rest], axis=1), whole, atol=1e-5)
    for time in range(7):
        hidden_states, cache, looked = decoder.step(vectors[:, time], cache, memory)
        np.testing.assert_allclose(hidden_states, whole[:, time], atol=1e-5)
        np.testing.assert_allclose(looked, weights[:, time], atol=1e-5)
        assert [tensor.shape for tensor in tf.nest.flatten(cache)] == shapes


def each_once():
    """Pairs in which each task, and each architecture in each variant, stands at least once."""
    seen = set()
    for pair in PAIRS:
        [(task, architecture, variant)] = pair.values
        new = {task, f"{architecture} {variant}"} - seen
        seen |= new
        if new:
            yield pair


@pytest.mark.parametrize("chosen", each_once())
def test_every_signature_answers_in_bfloat16_too(chosen, tmp_path):
    bfloat16 = made(small_settings(*chosen, precision="mixed_bfloat16"), tmp_path / "model")
    _, answers_of = requests_and_answers(bfloat16.folder, bfloat16.examples)
    assert set(answers_of) == set(asked_by_people(bfloat16))
    for outputs in answers_of.values():
        assert all(np.isfinite(values).all() for values in outputs.values() if values.dtype.kind == "f")


@pytest.mark.parametrize("task", TASKS)
def test_what_a_configuration_may_say_is_within_what_a_request_may(task):
    for setting in TASKS[task].request_settings:
        if isinstance(setting.default, str) and not setting.is_text:
            section, key = setting.default.split(".")
            field = RunSettings.model_fields[section].annotation.model_fields[key]
            least = max(rule.ge for rule in field.metadata if hasattr(rule, "ge"))
            most = min(rule.le for rule in field.metadata if hasattr(rule, "le"))
            assert setting.least <= least <= most <= setting.most, setting.name
