"""Predict, classify, regress, status and metadata over HTTP, through a real server."""

import gzip
import json

import pytest

from serving.server import Server
from serving.settings import ServingSettings
from tests.serving import saved_models
from tests.serving.conftest import QUICK
from tests.serving.rest.http_call import call


@pytest.fixture(scope="module")
def folder(exported, tmp_path_factory):
    """Versions 1 (x/2+1) and 2 (x/2+2) of m, and models of examples, texts and shapes."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("m", "examples", "text", "shapes"):
        (folder / name).mkdir()
    for version in (1, 2):
        saved_models.publish(saved_models.save_half(folder / f"half{version}", version), folder / "m", version)
    saved_models.publish(saved_models.save_examples(folder / "exported"), folder / "examples", 1)
    saved_models.publish(exported / "text", folder / "text", 1)
    saved_models.publish(exported / "shapes", folder / "shapes", 1)
    return folder


@pytest.fixture(scope="module")
def server(folder):
    models = folder / "models.config"
    entries = [
        f'config {{ name: "{name}" base_path: "{folder / name}" model_platform: "tensorflow" '
        "model_version_policy { all {} } }"
        for name in ("examples", "text", "shapes")
    ]
    entries.append(
        f'config {{ name: "m" base_path: "{folder / "m"}" model_platform: "tensorflow" '
        'model_version_policy { all {} } version_labels { key: "old one" value: 1 } }'
    )
    models.write_text(f"model_config_list {{ {' '.join(entries)} }}")
    settings = {**QUICK, "models": {"config_file": str(models), "labels_for_unavailable_versions": True}}
    with Server("m", folder, ServingSettings(**settings)) as server:
        server.wait_until_available(20)
        yield server


def test_predict_answers_rows_with_rows(server):
    reply = call(server, "POST", "/v1/models/m:predict", {"instances": [2.0, 4.0, 5.0]})
    assert (reply.status, reply.body) == (200, b'{\n    "predictions": [3.0, 4.0, 4.5\n    ]\n}')
    assert reply.headers["Content-Type"] == "application/json"


def test_predict_answers_columns_with_columns(server):
    reply = call(server, "POST", "/v1/models/m:predict", {"inputs": [2, 4]})
    assert (reply.status, reply.json) == (200, {"outputs": [3.0, 4.0]})


def test_predict_takes_named_inputs_and_a_signature(server):
    body = {"signature_name": "serving_default", "instances": [{"x": 2.0}]}
    assert call(server, "POST", "/v1/models/m:predict", body).json == {"predictions": [3.0]}


@pytest.mark.parametrize(
    ("place", "expected"), [("/versions/1", 2.0), ("/versions/002", 3.0), ("/labels/old%20one", 2.0), ("", 3.0)]
)
def test_predict_chooses_by_version_and_label_and_tells_which_version_answered(server, place, expected):
    reply = call(server, "POST", f"/v1/models/m{place}:predict", {"instances": [2.0]})
    assert reply.json == {"predictions": [expected]}
    assert reply.headers["Seqline-Model-Version"] == ("1" if expected == 2.0 else "2")


def test_strings_come_and_go_as_utf8(server):
    reply = call(server, "POST", "/v1/models/text:predict", {"instances": ["좋다", {"b64": "c2NobGVjaHQ="}]})
    assert reply.status == 200
    assert [row["label"] for row in reply.json["predictions"]] == [
        row["label"]
        for row in call(server, "POST", "/v1/models/text:predict", {"instances": ["좋다", "schlecht"]}).json[
            "predictions"
        ]
    ]


def test_numbers_that_json_has_not_are_read_and_written(server):
    reply = call(server, "POST", "/v1/models/m:predict", b'{"instances": [NaN, Infinity, -Inf]}')
    assert reply.body == b'{\n    "predictions": [NaN, Infinity, -Infinity\n    ]\n}'


def test_classify_and_regress_answer_lists_under_results(server):
    body = {"signature_name": "classify", "examples": [{"x": 2.0}]}
    reply = call(server, "POST", "/v1/models/examples:classify", body)
    assert (reply.status, reply.json) == (200, {"results": [[["low", -3.0], ["high", 3.0]]]})
    body = {"signature_name": "regress", "context": {"x": 4.0}, "examples": [{"x": 2.0}, {}]}
    assert call(server, "POST", "/v1/models/examples:regress", body).json == {"results": [3.0, 4.0]}


def test_a_class_without_name_is_an_empty_string(server):
    reply = call(server, "POST", "/v1/models/examples:classify", {"examples": [{"x": 2.0}]})
    assert reply.json == {"results": [[["", 3.0]]]}


def test_status_tells_every_version(server):
    entry = {"version": "2", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    reply = call(server, "GET", "/v1/models/m")
    assert reply.json == {"model_version_status": [entry, {**entry, "version": "1"}]}
    assert reply.body.startswith(b'{\n "model_version_status": [\n  {\n   "version": "2",\n')
    assert call(server, "GET", "/v1/models/m/versions/2").json == {"model_version_status": [entry]}
    assert call(server, "GET", "/v1/models/m/labels/unknown").json == reply.json


def test_metadata_tells_the_signatures(server):
    tensor = {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}}
    reply = call(server, "GET", "/v1/models/m/versions/1/metadata")
    assert reply.json["model_spec"] == {"name": "m", "signature_name": "", "version": "1"}
    signature = reply.json["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert signature["defaults"] == {}
    assert signature["inputs"]["x"].pop("name")
    assert signature["inputs"] == {"x": tensor}


@pytest.mark.parametrize("verb", ["predict", "classify", "regress"])
def test_json_is_read_before_the_model_is_looked_up(server, verb):
    reply = call(server, "POST", f"/v1/models/other:{verb}", b"")
    assert (reply.status, reply.error) == (400, "JSON Parse error: The document is empty")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        ("POST", "/v1/models/other:predict", {"instances": [1]}, 404, "Servable not found for request: Latest(other)"),
        (
            "POST",
            "/v1/models/m/versions/9:predict",
            {"instances": [1]},
            404,
            "Servable not found for request: Specific(m, 9)",
        ),
        (
            "POST",
            "/v1/models/m/labels/new:predict",
            {"instances": [1]},
            400,
            "Unrecognized servable version label: new",
        ),
        ("GET", "/v1/models/other", None, 404, "Could not find any versions of model other"),
        ("GET", "/v1/models/m/versions/9", None, 404, "Could not find version 9 of model m"),
        ("GET", "/v1/models/other/metadata", None, 404, "Servable not found for request: Latest(other)"),
        ("GET", "/v1/models", None, 400, "Missing model name in request."),
        ("GET", "/v1/models/", None, 400, "Malformed request: GET /v1/models/"),
        ("GET", "/v1/models/m?x=1", None, 400, "Malformed request: GET /v1/models/m?x=1"),
        ("PUT", "/v1/models/m:predict", {}, 400, "Malformed request: PUT /v1/models/m:predict"),
        ("DELETE", "/v1/models/m", None, 400, "Malformed request: DELETE /v1/models/m"),
        ("POST", "/v1/models/m:PREDICT", {}, 400, "Malformed request: POST /v1/models/m:PREDICT"),
        ("POST", "/v1/models/m", {}, 400, "Malformed request: POST /v1/models/m"),
        ("POST", "/v1/models/m:predict", {}, 400, "Missing 'inputs' or 'instances' key"),
        (
            "POST",
            "/v1/models/m:predict",
            {"signature_name": "other", "instances": [1]},
            400,
            'Serving signature name: "other" not found in signature def',
        ),
        (
            "POST",
            "/v1/models/examples:classify",
            {"signature_name": "other", "examples": [{}]},
            400,
            "No signature was found with the name: other",
        ),
        ("POST", "/v1/models/m:regress", {"examples": [{}]}, 400, None),
    ],
)
def test_what_is_wrong_is_said_with_its_status(server, method, path, body, status, error):
    reply = call(server, method, path, body)
    assert (reply.status, reply.error) == (status, error or reply.error)
    assert reply.headers["Content-Type"] == "application/json"


def test_an_error_of_the_model_is_said_with_its_status(server):
    reply = call(server, "POST", "/v1/models/shapes:predict", {"signature_name": "root", "instances": [-1.0]})
    assert reply.status == 400
    assert "negative input" in reply.error


def test_a_version_beyond_64_bits_is_refused_without_a_word(server):
    reply = call(server, "GET", "/v1/models/m/versions/99999999999999999999")
    assert (reply.status, reply.body) == (400, b"")


def test_errors_are_printed_with_four_spaces(server):
    assert call(server, "GET", "/v1/models").body == b'{\n    "error": "Missing model name in request."\n}'


def test_a_gzipped_request_is_unpacked(server):
    body = gzip.compress(json.dumps({"instances": [2.0]}).encode())
    assert call(server, "POST", "/v1/models/m:predict", body, Content_Encoding="gzip").json == {"predictions": [3.0]}


@pytest.mark.parametrize("cut", [slice(0, 5), slice(0, -4), slice(4, None)])
def test_a_broken_gzip_reads_as_an_empty_document(server, cut):
    body = gzip.compress(json.dumps({"instances": [2.0]}).encode())[cut]
    reply = call(server, "POST", "/v1/models/m:predict", body, Content_Encoding="gzip")
    assert (reply.status, reply.error) == (400, "JSON Parse error: The document is empty")


def test_many_requests_on_one_connection(server):
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=10)
    for value in range(20):
        connection.request("POST", "/v1/models/m:predict", json.dumps({"instances": [value]}))
        assert json.loads(connection.getresponse().read()) == {"predictions": [value / 2 + 2]}
    connection.close()


def test_rest_requests_are_counted(server):
    call(server, "POST", "/v1/models/counted:predict", {"instances": [1]})
    call(server, "GET", "/v1/nonsense")
    page = server.metrics.render()
    assert ':tensorflow:serving:request_count{model_name="counted",status="NOT_FOUND"} 1\n' in page
    assert ':tensorflow:serving:request_count{model_name="",status="INVALID_ARGUMENT"} ' in page
    call(server, "POST", "/v1/models/m:predict", {"instances": [1]})
    assert ':request_latency_count{model_name="m",API="predict",entrypoint="REST"} ' in server.metrics.render()
