"""Encryption, client certificates and bearer tokens on the gRPC port."""

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.apis import prediction_service_pb2_grpc

from serving.errors import ServerStartError
from tests.serving import saved_models
from tests.serving.certificates import make_keys
from tests.serving.conftest import refused

TOKENS = "first-token\nsecond-token\n"


@pytest.fixture(scope="module")
def keys():
    return make_keys()


@pytest.fixture
def serve_tls(serve, base, exported, keys, tmp_path):
    saved_models.publish(exported / "line2", base, 1)

    def start(verify: bool):
        file = tmp_path / "ssl.config"
        file.write_text(keys.ssl_config(verify))
        return serve(security={"ssl_config_file": str(file)})

    return start


def ask(server, stub, credentials: grpc.ChannelCredentials):
    with grpc.secure_channel(server.address, credentials) as channel:
        prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        return list(prediction.Predict(stub.request(x=[2.0]), timeout=5).outputs["y"].float_val)


def test_an_encrypted_port_answers_who_trusts_its_certificate(serve_tls, keys):
    server, stub = serve_tls(verify=False)
    assert ask(server, stub, grpc.ssl_channel_credentials(keys.authority.encode())) == [3.0]


def test_an_encrypted_port_does_not_answer_plain_text(serve_tls):
    _, stub = serve_tls(verify=False)
    with refused(grpc.StatusCode.UNAVAILABLE):
        stub.predict(x=[2.0], timeout=5)


def test_with_client_verify_only_who_shows_a_certificate_is_answered(serve_tls, keys):
    server, stub = serve_tls(verify=True)
    authority, client = keys.authority.encode(), keys.client
    assert ask(server, stub, grpc.ssl_channel_credentials(authority, client.key.encode(), client.cert.encode())) == [3]
    with refused(grpc.StatusCode.UNAVAILABLE):
        ask(server, stub, grpc.ssl_channel_credentials(authority))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "it must be an SSLConfig in text form"),
        ('server_key: "k"', "must give server_key and server_cert"),
        ('server_key: "k" server_cert: "c" client_verify: true', "asks for client_verify, so it must give custom_ca"),
    ],
)
def test_an_ssl_config_that_cannot_be_is_named(serve, tmp_path, text, message):
    file = tmp_path / "ssl.config"
    file.write_text(text)
    with pytest.raises(ServerStartError, match=message) as caught:
        serve(wait=False, security={"ssl_config_file": str(file)})
    assert str(file) in str(caught.value)


@pytest.fixture
def guarded(serve, base, exported, tmp_path):
    saved_models.publish(exported / "line2", base, 1)
    file = tmp_path / "tokens"
    file.write_text(TOKENS)
    _, stub = serve(security={"token_file": str(file)})
    return stub, file


def predict_with(stub, authorization: str | None):
    metadata = [("authorization", authorization)] if authorization is not None else []
    return stub.prediction.Predict(stub.request(x=[2.0]), timeout=5, metadata=metadata)


@pytest.mark.parametrize("authorization", ["Bearer first-token", "bearer second-token"])
def test_a_known_token_is_let_in(guarded, authorization):
    assert list(predict_with(guarded[0], authorization).outputs["y"].float_val) == [3.0]


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Basic first-token", "first-token"])
def test_without_a_token_nobody_is_let_in(guarded, authorization):
    with refused(
        grpc.StatusCode.UNAUTHENTICATED, "this server asks for a token: send the header `authorization: Bearer TOKEN`"
    ):
        predict_with(guarded[0], authorization)


def test_an_unknown_token_is_refused_for_every_service(guarded):
    stub, _ = guarded
    message = "the token is not known to this server; ask its operator for a valid one"
    with refused(grpc.StatusCode.UNAUTHENTICATED, message):
        predict_with(stub, "Bearer first-toke")
    with refused(grpc.StatusCode.UNAUTHENTICATED):
        stub.status()


def test_health_needs_no_token(guarded):
    health = health_pb2_grpc.HealthStub(guarded[0].channel)
    assert health.Check(health_pb2.HealthCheckRequest(), timeout=5).status == health_pb2.HealthCheckResponse.SERVING


def test_a_changed_file_of_tokens_counts_at_once(guarded):
    stub, file = guarded
    file.write_text("third\n")
    assert list(predict_with(stub, "Bearer third").outputs["y"].float_val) == [3.0]
    with refused(grpc.StatusCode.UNAUTHENTICATED):
        predict_with(stub, "Bearer first-token")


@pytest.mark.parametrize(("text", "message"), [(None, "must be a readable file"), ("\n \n", "must hold a token per")])
def test_a_file_without_tokens_is_named(serve, tmp_path, text, message):
    file = tmp_path / "tokens"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ServerStartError, match=message):
        serve(wait=False, security={"token_file": str(file)})


def test_grpc_channel_arguments_reach_the_port(serve, base, exported):
    saved_models.publish(exported / "line2", base, 1)
    _, stub = serve(grpc_channel_arguments="grpc.max_connection_age_ms=60000,grpc.max_receive_message_length=20")
    with refused(grpc.StatusCode.RESOURCE_EXHAUSTED):
        stub.predict(x=[2.0] * 100)


def test_grpc_channel_arguments_of_another_form_are_named(serve):
    with pytest.raises(ServerStartError, match="takes name=value,name=value; got 'x'"):
        serve(wait=False, grpc_channel_arguments="x")
