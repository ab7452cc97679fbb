"""What the HTTP port answers beside the models' API, and its limits."""

import gzip
import http.client
import json
import socket
import ssl
import threading

import pytest

from serving.errors import ServerStartError
from serving.server import Server
from serving.settings import ServingSettings
from tests.serving import saved_models
from tests.serving.certificates import make_keys
from tests.serving.conftest import QUICK, eventually
from tests.serving.rest.http_call import call


@pytest.fixture
def start(serve, base, exported):
    """A server of half_plus_two; keyword arguments are settings, those of `rest` by themselves."""

    def start(publish: bool = True, rest=None, **settings):
        if publish:
            saved_models.publish(exported / "line2", base, 1)
        return serve(wait=publish, rest={"port": 0, **(rest or {})}, **settings)[0]

    return start


def test_the_server_lives_from_the_start_and_is_ready_when_its_model_is(start, base, exported):
    server = start(publish=False)
    assert call(server, "GET", "/healthz").status == 200
    reply = call(server, "GET", "/readyz")
    assert (reply.status, reply.json) == (503, {"ready": False, "models": {"m": False}})
    assert call(server, "GET", "/readyz/m").status == 503
    saved_models.publish(exported / "line2", base, 1)
    eventually(lambda: call(server, "GET", "/readyz").status == 200)
    assert call(server, "GET", "/readyz/m").json == {"ready": True, "models": {"m": True}}
    assert call(server, "GET", "/readyz/other").status == 404


def test_a_draining_server_is_not_ready(start):
    server = start()
    assert call(server, "GET", "/readyz").status == 200
    server.health.draining = True
    assert call(server, "GET", "/readyz").status == 503
    assert call(server, "GET", "/healthz").status == 200


def test_the_models_are_listed_with_what_is_wrong_with_them(start, base):
    server = start()
    (base / "2").mkdir()
    eventually(lambda: call(server, "GET", "/seqline/models").json["models"][0]["complaints"])
    (model,) = call(server, "GET", "/seqline/models").json["models"]
    assert (model["name"], model["base_path"], model["available_versions"]) == ("m", str(base), [1])
    assert "2 holds no saved_model.pb" in model["complaints"][0]


def test_metrics_are_at_the_path_of_tensorflow_serving(start):
    server = start()
    reply = call(server, "GET", "/monitoring/prometheus/metrics")
    assert (reply.status, reply.headers["Content-Type"].split(";")[0]) == (200, "text/plain")
    assert b"# TYPE :tensorflow:serving:request_count counter\n" in reply.body
    reply = call(server, "POST", "/monitoring/prometheus/metrics?a=1")
    assert (reply.status, reply.headers["Content-Type"].split(";")[0]) == (400, "text/plain")
    assert reply.body == (
        b"Unexpected path: /monitoring/prometheus/metrics?a=1. Should be /monitoring/prometheus/metrics"
    )


def test_a_monitoring_file_names_the_path_or_switches_metrics_off(start, tmp_path):
    file = tmp_path / "monitoring.config"
    file.write_text('prometheus_config { enable: true path: "/numbers" }')
    assert call(start(monitoring={"config_file": str(file)}), "GET", "/numbers").status == 200
    file.write_text("prometheus_config { }")
    server = start(publish=False, monitoring={"config_file": str(file)})
    assert call(server, "GET", "/monitoring/prometheus/metrics").status == 404
    file.write_text("nonsense")
    with pytest.raises(ServerStartError, match=r"Invalid protobuf file: '.*monitoring\.config'"):
        start(publish=False, monitoring={"config_file": str(file)})


def test_other_paths_are_a_page_that_is_not_there(start):
    reply = call(start(publish=False), "GET", "/elsewhere")
    assert (reply.status, reply.headers["Content-Type"].split(";")[0]) == (404, "text/html")


def test_the_api_describes_itself(start):
    reply = call(start(publish=False), "GET", "/openapi.json")
    assert "/v1/models/{name}:predict" in reply.json["paths"]


@pytest.mark.parametrize(
    ("origin", "status"), [("https://a.example", 200), ("http://a", 200), ("null", 400), (None, 400)]
)
def test_options_are_answered_by_origin_alone(start, origin, status):
    headers = {"Origin": origin} if origin else {}
    reply = call(start(publish=False), "OPTIONS", "/v1/models/m:predict", **headers)
    assert (reply.status, reply.body) == (status, b"")


def test_pages_of_other_origins_may_call_when_told_so(start, serve):
    without = call(start(), "GET", "/v1/models/m")
    assert "Access-Control-Allow-Origin" not in without.headers
    server, _ = serve(rest={"port": 0, "cors": True})
    for method, status in (("GET", 200), ("OPTIONS", 200), ("PUT", 400)):
        reply = call(server, method, "/v1/models/m", Origin="https://a.example")
        assert (method, reply.status) == (method, status)
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
        assert reply.headers["Access-Control-Allow-Methods"] == "POST, GET"
        assert reply.headers["Access-Control-Allow-Headers"] == "Content-Type"


def test_a_body_over_the_limit_is_refused(start):
    server = start(rest={"max_body_bytes": 2000})
    big = json.dumps({"instances": [1.0] * 2000}).encode()
    for body, headers in ((big, {}), (gzip.compress(big), {"Content_Encoding": "gzip"})):
        reply = call(server, "POST", "/v1/models/m:predict", body, **headers)
        assert reply.status == 429
        assert reply.error.startswith("the request is larger than 2000 bytes, the limit of this server")
    assert call(server, "POST", "/v1/models/m:predict", {"instances": [2.0]}).json["predictions"][0]["y"] == 3.0


@pytest.fixture
def gate(tmp_path):
    gate = saved_models.Gate()
    gate.save(tmp_path / "gate")
    yield gate
    gate.open.set()


def hold_one(server, gate) -> threading.Thread:
    """A request that runs until the gate opens."""
    thread = threading.Thread(target=call, args=(server, "POST", "/v1/models/m:predict", {"instances": [0.0]}))
    thread.start()
    assert gate.entered.acquire(timeout=10)
    return thread


def test_one_request_more_than_allowed_is_refused(start, serve, base, gate, tmp_path):
    saved_models.publish(tmp_path / "gate", base, 1)
    server, _ = serve(rest={"port": 0}, max_concurrent_requests=1)
    held = hold_one(server, gate)
    reply = call(server, "POST", "/v1/models/m:predict", {"instances": [0.0]})
    assert (reply.status, reply.error) == (429, "the server handles 1 requests already; try again in a moment")
    for path in ("/healthz", "/readyz", "/monitoring/prometheus/metrics", "/v1/models/m"):
        assert call(server, "GET", path).status == 200
    gate.open.set()
    held.join()
    assert call(server, "POST", "/v1/models/m:predict", {"instances": [0.0]}).status == 200


def test_a_run_beyond_the_timeout_is_given_up(start, serve, base, gate, tmp_path):
    saved_models.publish(tmp_path / "gate", base, 1)
    server, _ = serve(rest={"port": 0, "timeout_seconds": 0.2})
    held = hold_one(server, gate)
    reply = call(server, "POST", "/v1/models/m:predict", {"instances": [0.0]})
    assert (reply.status, reply.error) == (504, "Timed out waiting for notification")
    gate.open.set()
    held.join()


def test_a_stopping_server_answers_what_runs(start, serve, base, gate, tmp_path):
    saved_models.publish(tmp_path / "gate", base, 1)
    server, _ = serve(rest={"port": 0})
    replies = []
    asking = threading.Thread(
        target=lambda: replies.append(call(server, "POST", "/v1/models/m:predict", {"instances": [1.0]}))
    )
    asking.start()
    assert gate.entered.acquire(timeout=10)
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    eventually(lambda: not _listens(server.rest_port))
    gate.open.set()
    asking.join(10)
    stopping.join(10)
    assert [reply.status for reply in replies] == [200]


def test_a_used_port_is_named_with_the_way_out_or_done_without(start, serve, base):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(ServerStartError, match=f"127.0.0.1:{taken}.*--rest_api_port"):
            serve(wait=False, rest={"port": taken})
        server = start(rest={"port": taken, "required": False})
        assert server.rest_port == 0


def test_rest_can_be_left_out(start):
    assert start(rest={"enabled": False}).rest_port == 0


def test_only_who_brings_a_token_is_answered_health_excepted(start, tmp_path):
    (tmp_path / "tokens").write_text("secret")
    server = start(security={"token_file": str(tmp_path / "tokens")})
    for path in ("/v1/models/m", "/seqline/models", "/monitoring/prometheus/metrics", "/openapi.json"):
        reply = call(server, "GET", path)
        assert (reply.status, reply.error.split(":")[0]) == (401, "this server asks for a token")
        assert call(server, "GET", path, Authorization="Bearer secret").status == 200
    assert call(server, "GET", "/readyz").status == 200
    assert call(server, "GET", "/healthz").status == 200


def test_the_port_can_be_encrypted(start, tmp_path):
    keys = make_keys()
    (tmp_path / "ssl.config").write_text(keys.ssl_config(verify=False))
    server = start(rest={"tls": True}, security={"ssl_config_file": str(tmp_path / "ssl.config")})
    context = ssl.create_default_context(cadata=keys.authority)
    connection = http.client.HTTPSConnection("127.0.0.1", server.rest_port, timeout=10, context=context)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()


def test_encryption_without_keys_is_refused(base):
    settings = ServingSettings(**{**QUICK, "rest": {"port": 0, "tls": True}})
    with pytest.raises(ServerStartError, match=r"rest\.tls needs the keys of security\.ssl_config_file"):
        Server("m", base, settings)


def test_one_model_that_cannot_load_leaves_the_others_alone(serve, base, exported, tmp_path):
    saved_models.publish(exported / "line2", base, 1)
    (tmp_path / "bad" / "1").mkdir(parents=True)
    (tmp_path / "bad" / "1" / "saved_model.pb").write_bytes(b"no model")
    models = tmp_path / "models.config"
    entry = 'config {{ name: "{}" base_path: "{}" model_platform: "tensorflow" }}'
    models.write_text(f"model_config_list {{ {entry.format('m', base)} {entry.format('bad', tmp_path / 'bad')} }}")
    server, _ = serve(wait=False, rest={"port": 0}, models={"config_file": str(models)})
    eventually(lambda: call(server, "GET", "/readyz/m").status == 200)
    assert call(server, "GET", "/readyz").json == {"ready": False, "models": {"m": True, "bad": False}}
    eventually(lambda: call(server, "GET", "/seqline/models").json["models"][0]["complaints"])
    assert "saved_model.pb" in call(server, "GET", "/seqline/models").json["models"][0]["complaints"][0]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
