"""Regress and MultiInference as a client of TensorFlow Serving sees them (half_plus_two: x = 2 gives 3)."""

import grpc
import pytest
from tensorflow_serving.apis import inference_pb2, input_pb2, regression_pb2

from tests.serving import saved_models
from tests.serving.conftest import refused, serve_once
from tests.serving.grpc.examples import CLASSIFY, REGRESS, example_list, multi, regress

INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest.fixture(scope="module")
def stub(tmp_path_factory):
    folder = saved_models.save_examples(tmp_path_factory.mktemp("examples") / "model")
    yield from serve_once(tmp_path_factory, folder)


@pytest.mark.parametrize("signature", ["regress", "regress_flat"])
def test_one_value_for_each_example(stub, signature):
    response = regress(stub, example_list(2.0, 4.0), signature)
    assert [one.value for one in response.result.regressions] == [3.0, 4.0]
    assert (response.model_spec.signature_name, response.model_spec.version.value) == (signature, 1)


def test_regress_without_model_spec(stub):
    with refused(INVALID, "Missing ModelSpec"):
        stub.prediction.Regress(regression_pb2.RegressionRequest(), timeout=10)


def test_regress_without_examples(stub):
    with refused(INVALID, "Input is empty."):
        regress(stub, input_pb2.Input())


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        ("none", "No signature was found with the name: none"),
        ("two_inputs", "Expected one input Tensor."),
        ("three_outputs", "Expected one output Tensor."),
        (
            "deep_values",
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got [2,2]",
        ),
        ("short_values", "Input batch size did not match output batch size: 2 vs. 1"),
        ("double_values", "Expected output Tensor of DT_FLOAT.  Got: DT_DOUBLE"),
    ],
)
def test_regress_with_signature_or_output_of_another_form(stub, signature, message):
    with refused(INVALID, message):
        regress(stub, example_list(2.0, 4.0), signature)


@pytest.mark.parametrize("signature", ["other_input", "other_output"])
def test_regress_with_other_names(stub, signature):
    with refused(INVALID) as caught:
        regress(stub, example_list(2.0), signature)
    kind = "inputs" if signature == "other_input" else "outputs"
    assert caught.value.details().startswith(f"No regression {kind} found in SignatureDef: ")


def test_results_stand_in_the_order_of_the_tasks(stub):
    response = multi(stub, example_list(2.0), ("regress", REGRESS), ("classify", CLASSIFY), ("", CLASSIFY))
    regression, classification, default = response.results
    assert [one.value for one in regression.regression_result.regressions] == [3.0]
    [row] = classification.classification_result.classifications
    assert [(one.label, one.score) for one in row.classes] == [("low", -3.0), ("high", 3.0)]
    specs = [
        (one.model_spec.name, one.model_spec.signature_name, one.model_spec.version.value) for one in response.results
    ]
    assert specs == [("m", "regress", 1), ("m", "classify", 1), ("m", "serving_default", 1)]
    assert default.WhichOneof("result") == "classification_result"


def test_multi_inference_without_tasks(stub):
    with refused(INVALID, "ModelSpec has no name specified."):
        stub.prediction.MultiInference(inference_pb2.MultiInferenceRequest(), timeout=10)


@pytest.mark.parametrize(
    ("tasks", "names", "code", "message"),
    [
        ([("regress", REGRESS), ("", CLASSIFY)], ["m", ""], INVALID, "Found ModelSpec with an empty model name."),
        (
            [("regress", REGRESS), ("", CLASSIFY)],
            ["m", "n"],
            INVALID,
            "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
        ),
        ([("regress", REGRESS)] * 2, None, INVALID, "Duplicate evaluation of signature: regress"),
        ([("none", REGRESS)], None, INVALID, "Requested signature not found in model graph: none"),
        (
            [("regress", "tensorflow/serving/predict")],
            None,
            grpc.StatusCode.UNIMPLEMENTED,
            "Unsupported signature method_name: tensorflow/serving/predict",
        ),
        ([("regress", REGRESS), ("two_inputs", CLASSIFY)], None, INVALID, "Expected one input Tensor."),
        ([("missing", REGRESS)], ["other"], grpc.StatusCode.NOT_FOUND, "Servable not found for request: Latest(other)"),
    ],
)
def test_multi_inference_that_cannot_be(stub, tasks, names, code, message):
    with refused(code, message):
        multi(stub, example_list(2.0), *tasks, names=names)


def test_multi_inference_without_examples(stub):
    with refused(INVALID, "Input is empty."):
        multi(stub, input_pb2.Input(), ("regress", REGRESS))
