import pytest

from serving.errors import InvalidRequestError
from serving.rest.routes import EmptyBodyError, Route, is_api_path, parse_route


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("POST", "/v1/models/m:predict", Route("predict", "m")),
        ("POST", "/v1/models/m:classify", Route("classify", "m")),
        ("POST", "/v1/models/m:regress", Route("regress", "m")),
        ("POST", "/v1/models/m/versions/7:predict", Route("predict", "m", 7)),
        ("POST", "/v1/models/m/versions/0:predict", Route("predict", "m", 0)),
        ("POST", "/v1/models/m/versions/0007:predict", Route("predict", "m", 7)),
        ("POST", "/v1/models/m/labels/stable:predict", Route("predict", "m", None, "stable")),
        ("POST", "/V1/MODELS/M/VERSIONS/7:predict", Route("predict", "M", 7)),
        ("GET", "/v1/models/m", Route("status", "m")),
        ("GET", "/v1/models/m/versions/7", Route("status", "m", 7)),
        ("GET", "/v1/models/m/labels/stable", Route("status", "m", None, "stable")),
        ("GET", "/v1/models/m/metadata", Route("metadata", "m")),
        ("GET", "/v1/models/m/versions/7/metadata", Route("metadata", "m", 7)),
        ("GET", "/v1/models/m/labels/stable/metadata", Route("metadata", "m", None, "stable")),
        ("GET", "/v1/models/m/METADATA", Route("status", "m")),
        ("GET", "/v1/models/m/versions/9223372036854775807", Route("status", "m", 2**63 - 1)),
    ],
)
def test_addresses_of_the_api(method, path, route):
    assert parse_route(method, path) == route


@pytest.mark.parametrize(
    ("part", "meaning"),
    [
        ("a%2Fb%3Ac%21%3F", "a/b:c!?"),
        ("%ED%95%9C", "한"),
        ("a+b", "a+b"),
        ("50%", "50%"),
        ("a-b_c.d", "a-b_c.d"),
        ("%zz", "%zz"),
        ("metadata", "metadata"),
    ],
)
def test_names_and_labels_are_percent_decoded(part, meaning):
    assert parse_route("GET", f"/v1/models/{part}").name == meaning
    assert parse_route("POST", f"/v1/models/{part}/labels/{part}:predict") == Route("predict", meaning, None, meaning)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/models/m:PREDICT"),
        ("POST", "/v1/models/m:Classify"),
        ("POST", "/v1/models/m:unknown"),
        ("POST", "/v1/models/m"),
        ("POST", "/v1/models/:predict"),
        ("POST", "/v1/models:predict"),
        ("POST", "/v1/models/a/b:predict"),
        ("POST", "/v1/models/a:b:predict"),
        ("POST", "/v1/models/m:predict/"),
        ("POST", "/v1/models/m:predict?x=1"),
        ("POST", "/v1/models/m/versions/:predict"),
        ("POST", "/v1/models/m/versions/1.5:predict"),
        ("POST", "/v1/models/m/versions/-1:predict"),
        ("POST", "/v1/models/m/versions/\u0663:predict"),
        ("POST", "/v1/models/m/labels/:predict"),
        ("POST", "/v1/models/m/versions/1/labels/l:predict"),
        ("POST", "/v1/models/m/labels/l/versions/1:predict"),
        ("POST", "/v1/models/m/metadata"),
        ("GET", "/v1/models/m:predict"),
        ("GET", "/v1/models/m/"),
        ("GET", "/v1/models/m?x=1"),
        ("GET", "/v1/models/"),
        ("GET", "/v1/models/m/versions/x"),
        ("GET", "/v1/models/m/versions/1/labels/l"),
        ("GET", "/v1/models/m/metadata/"),
        ("GET", "/v1/model/m"),
        ("GET", "/v2/models/m"),
        ("PUT", "/v1/models/m"),
        ("DELETE", "/v1/models/m"),
        ("HEAD", "/v1/models/m"),
        ("PATCH", "/v1/models/m:predict"),
    ],
)
def test_any_other_address_is_malformed(method, path):
    with pytest.raises(InvalidRequestError) as caught:
        parse_route(method, path)
    assert str(caught.value) == f"Malformed request: {method} {path}"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/versions/1", "/v1/models/labels/l"])
def test_a_model_must_be_named(path):
    with pytest.raises(InvalidRequestError) as caught:
        parse_route("GET", path)
    assert str(caught.value) == "Missing model name in request."


@pytest.mark.parametrize("digits", ["9223372036854775808", "18446744073709551616", "1" * 5000])
@pytest.mark.parametrize(("method", "end"), [("GET", ""), ("POST", ":predict")])
def test_a_version_beyond_64_bits_has_an_error_of_its_own(digits, method, end):
    with pytest.raises(EmptyBodyError) as caught:
        parse_route(method, f"/v1/models/m/versions/{digits}{end}")
    assert str(caught.value) == f"Failed to convert version: {digits} to numeric."


def test_zeros_before_a_version_do_not_count():
    assert parse_route("GET", f"/v1/models/m/versions/{'0' * 5000}7").version == 7


@pytest.mark.parametrize(
    ("path", "belongs"),
    [
        ("/v1/models/m", True),
        ("/V1/anything?x=/", True),
        ("/v1/", True),
        ("/v1", False),
        ("/", False),
        ("/metrics", False),
        ("/x/v1/models", False),
    ],
)
def test_what_belongs_to_the_api(path, belongs):
    assert is_api_path(path) is belongs
