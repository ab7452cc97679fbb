"""Classify as a client of TensorFlow Serving sees it (half_plus_two: x = 2 gives 3)."""

import grpc
import pytest
from tensorflow_serving.apis import classification_pb2, input_pb2

from tests.serving import saved_models
from tests.serving.conftest import refused, serve_once
from tests.serving.grpc.examples import classify, example, example_list, regress, with_context

INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest.fixture(scope="module")
def stub(tmp_path_factory):
    folder = saved_models.save_examples(tmp_path_factory.mktemp("examples") / "model")
    yield from serve_once(tmp_path_factory, folder)


def rows(response):
    return [[(one.label, one.score) for one in row.classes] for row in response.result.classifications]


def test_scores_without_classes_have_empty_labels(stub):
    assert rows(classify(stub, example_list(2.0, 4.0))) == [[("", 3.0)], [("", 4.0)]]


def test_classes_come_with_scores_in_the_models_order(stub):
    response = classify(stub, example_list(2.0), "classify")
    assert rows(response) == [[("low", -3.0), ("high", 3.0)]]


def test_classes_without_scores_have_score_zero(stub):
    assert rows(classify(stub, example_list(2.0), "classes_only")) == [[("low", 0.0), ("high", 0.0)]]


def test_model_spec_names_the_signature_and_the_version(stub):
    spec = classify(stub, example_list(2.0)).model_spec
    assert (spec.name, spec.signature_name, spec.version.value) == ("m", "serving_default", 1)


def test_context_is_shared_by_all_examples(stub):
    assert rows(classify(stub, with_context(example(x=2.0), example(), example()))) == [[("", 3.0)]] * 2


def test_feature_of_the_example_wins_over_the_context(stub):
    assert rows(classify(stub, with_context(example(x=2.0), example(x=4.0)))) == [[("", 4.0)]]


def test_without_model_spec(stub):
    with refused(INVALID, "Missing ModelSpec"):
        stub.prediction.Classify(classification_pb2.ClassificationRequest(), timeout=10)


def test_unknown_model(stub):
    with refused(grpc.StatusCode.NOT_FOUND, "Servable not found for request: Latest(other)"):
        classify(stub, example_list(2.0), name="other")


@pytest.mark.parametrize("nothing", [input_pb2.Input(), example_list(), with_context(example(x=1.0))])
def test_no_examples(stub, nothing):
    with refused(INVALID, "Input is empty."):
        classify(stub, nothing)


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        ("none", "No signature was found with the name: none"),
        ("two_inputs", "Expected one input Tensor."),
        ("three_outputs", "Expected one or two output Tensors, found 3"),
        ("flat_scores", "Expected Tensor shape: [batch_size num_classes] but got [2]"),
        ("number_classes", "Expected classes Tensor of DT_STRING. Got: DT_FLOAT"),
        ("double_scores", "Expected scores Tensor of DT_FLOAT. Got: DT_DOUBLE"),
        ("short_classes", "Expected classes output batch size of 2. Got: 1"),
        ("short_scores", "Expected scores output batch size of 2. Got: 1"),
        ("unequal", "Tensors class and score should match in dim_size(1). Got 2 vs. 1"),
    ],
)
def test_signature_or_output_of_another_form(stub, signature, message):
    with refused(INVALID, message):
        classify(stub, example_list(2.0, 4.0), signature)


def test_input_of_another_name(stub):
    with refused(INVALID) as caught:
        classify(stub, example_list(2.0), "other_input")
    assert caught.value.details().startswith("No classification inputs found in SignatureDef: inputs {\n")


def test_outputs_of_other_names(stub):
    with refused(INVALID) as caught:
        classify(stub, example_list(2.0), "other_output")
    assert caught.value.details().startswith(
        'Expected classification signature outputs to contain at least one of "classes" or "scores". Signature was: '
    )


def test_the_form_is_checked_before_the_input(stub):
    with refused(INVALID, "Expected one input Tensor."):
        classify(stub, input_pb2.Input(), "two_inputs")


def test_example_without_the_feature(stub):
    with refused(INVALID) as caught:
        classify(stub, with_context(example(), example()))
    assert "Feature: x (data type: float) is required but could not be found." in caught.value.details()


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    folder = saved_models.save_examples(tmp_path_factory.mktemp("examples") / "model")
    yield from serve_once(tmp_path_factory, folder, check_method_names=True)


def test_method_names_are_checked_when_asked(strict):
    expected = "Expected classification signature method_name to be tensorflow/serving/classify. Was: "
    with refused(INVALID, expected + "tensorflow/serving/predict"):
        classify(strict, example_list(2.0))


def test_method_name_of_a_regression_is_checked_when_asked(strict):
    expected = "Expected regression signature method_name to be tensorflow/serving/regress. Was: "
    with refused(INVALID, expected + "tensorflow/serving/predict"):
        regress(strict, example_list(2.0))
