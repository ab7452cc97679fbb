"""The server keeps what serving/rest/openapi.json says of it, on requests that schemathesis makes up from that file."""

import json
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import checks
from schemathesis.config import ChecksConfig, NotAServerErrorConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig

import serving.rest
from serving.server import Server
from serving.settings import ServingSettings
from tests.serving.conftest import QUICK
from tests.serving.fuzz.models import LABEL, save_models

FILE = Path(serving.rest.__file__).with_name("openapi.json")
# Errors that the contract names; 500 is none of a healthy server.
SERVER_ERRORS = ["501", "503", "504"]
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]


def of_this_server():
    """The document, with names that this server knows among those that requests use."""
    document = json.loads(FILE.read_text())
    known = {"name": ["line", "text", "examples", "shapes"], "version": [1, 2], "label": [LABEL]}
    for name, values in known.items():
        parameter = document["components"]["parameters"][name]
        parameter["schema"] = {"anyOf": [{"enum": values}, parameter["schema"]]}
    server_error = ChecksConfig(
        not_a_server_error=NotAServerErrorConfig(expected_statuses=["2XX", "4XX", *SERVER_ERRORS])
    )
    project = ProjectConfig(checks=server_error)
    return schemathesis.openapi.from_dict(document, config=SchemathesisConfig(projects=ProjectsConfig(default=project)))


schema = of_this_server()


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    models = {"config_file": str(save_models(folder))}
    with Server("", "", ServingSettings(**QUICK, models=models)) as server:
        server.wait_until_available(30)
        yield f"http://{server.rest_address}"


def test_the_document_is_openapi():
    schemathesis.openapi.from_path(FILE).validate()


@schema.parametrize()
@settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_every_operation_answers_as_described(case, url):
    # The answer to such a version has no body, and so no error in it: OpenAPI has no words for that.
    excluded = [checks.response_schema_conformance] if has_too_large_version(case) else []
    case.call_and_validate(base_url=url, checks=CHECKS, excluded_checks=excluded, timeout=10)


def has_too_large_version(case) -> bool:
    version = str(case.path_parameters.get("version", ""))
    return version.isdecimal() and int(version) >= 2**63
