"""Every dtype that a signature may ask for, by a real server: over gRPC all of them, over REST those that JSON has."""

import numpy as np
import pytest
import tensorflow as tf

from serving.core.tensors import encode_tensor
from tests.serving import saved_models
from tests.serving.fuzz.models import DTYPES, save_types
from tests.serving.rest.http_call import call

VALUES = {"string": [b"a", b"\xff"], "bool": [True, False], "complex64": [1 + 2j, 0.5], "complex128": [1 + 2j, 0.5]}
NOT_IN_JSON = {"float16": "half", "bfloat16": "bfloat16", "uint16": "uint16", "complex64": "complex64"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_types(tmp_path_factory.mktemp("types") / "model")


@pytest.fixture(params=[{}, {"enabled": False}], ids=["batching", "no batching"])
def started(serve, base, folder, request):
    saved_models.publish(folder, base, 1)
    return serve(batching=request.param)


def test_over_grpc_each_dtype_comes_back_as_it_went(started):
    _, stub = started
    for name, dtype in DTYPES.items():
        array = np.array(VALUES.get(name, [1, 2]), dtype)
        for as_content in (True, False):
            answer = stub.predict(name, x=encode_tensor(array, as_content)).outputs["y"]
            assert answer.dtype == tf.as_dtype(dtype).as_datatype_enum, name
            np.testing.assert_array_equal(tf.make_ndarray(answer), array, err_msg=name)


# Body, and what is answered; {} stands for the name of the dtype.
WITHOUT_FORM = [
    ('"inputs": [1.5]', 501, "Conversion of JSON Value: 1.5 to type: {}"),
    (
        '"instances": [1.5]',
        400,
        "Failed to process element: 0 of 'instances' list. Error: UNIMPLEMENTED: Conversion of JSON Value: 1.5 to "
        "type: {}",
    ),
    (
        '"instances": [[{"b64": "YQ=="}]]',
        400,
        "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: "
        '{{\n    "b64": "YQ=="\n}} Type: Object is not of expected type: {}',
    ),
    ('"inputs": []', 200, {"outputs": []}),
    ('"instances": [[], []]', 200, {"predictions": [[], []]}),
]


def test_over_rest_a_dtype_without_a_form_in_json_is_answered_by_what_is_asked(started):
    server, _ = started
    for dtype, shown in NOT_IN_JSON.items():
        for body, status, wanted in WITHOUT_FORM:
            sent = f'{{"signature_name": "{dtype}", {body}}}'.encode()
            reply = call(server, "POST", "/v1/models/m:predict", sent)
            answer = {"error": wanted.format(shown)} if isinstance(wanted, str) else wanted
            assert (reply.status, reply.json) == (status, answer), (dtype, body)


@pytest.mark.parametrize(
    ("body", "echoed"),
    [
        (b'{"instances": ["a\xff\\ude00"], "inputs": 1}', b"a\xff\xed\xb8\x80"),
        (b'{"instances": [1e21, 1e-7, "\\u001f"], "inputs": 1}', rb"[1e21, 1e-7, \"\\u001F\"]"),
    ],
)
def test_errors_over_rest_show_what_was_sent_byte_by_byte(started, body, echoed):
    reply = call(started[0], "POST", "/v1/models/m:predict", body)
    assert reply.status == 400
    assert echoed in reply.body


def test_strings_over_rest_keep_the_lower_half_of_a_pair(started):
    body = b'{"signature_name": "string", "instances": ["\\ude00"], "instances": ["second"]}'
    reply = call(started[0], "POST", "/v1/models/m:predict", body)
    assert (reply.status, b"\xed\xb8\x80" in reply.body) == (200, True)
