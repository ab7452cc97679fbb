"""Keys that do not fit, certificates that end, and new ones that come while the server runs."""

import datetime
import http.client
import logging
import ssl
import threading
import time
from dataclasses import replace

import grpc
import pytest
from cryptography.hazmat.primitives import serialization
from tensorflow_serving.apis import prediction_service_pb2_grpc

from serving.errors import ServerStartError
from serving.tls.keys import read_keys
from serving.tls.watch import tell_of_the_end
from tests.serving import saved_models
from tests.serving.certificates import Keys, make_keys
from tests.serving.conftest import eventually


@pytest.fixture(scope="module")
def keys() -> Keys:
    return make_keys()


@pytest.fixture(scope="module")
def others() -> Keys:
    return make_keys()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "ssl.config"


def locked(pair):
    key = serialization.load_pem_private_key(pair.key.encode(), None)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return replace(pair, key=key.private_bytes(*form, serialization.BestAvailableEncryption(b"word")).decode())


WRONG = {
    "of another certificate": (
        lambda keys, others: replace(keys, server=replace(keys.server, key=others.server.key)),
        "server_key and server_cert of .* do not belong together: the certificate, of CN=server, was made for another",
    ),
    "locked": (lambda keys, others: replace(keys, server=locked(keys.server)), "server_key of .* locked by a password"),
    "no key": (
        lambda keys, others: replace(keys, server=replace(keys.server, key="nonsense")),
        "server_key of .* must be a private key in PEM form",
    ),
    "no certificate": (
        lambda keys, others: replace(keys, server=replace(keys.server, cert="nonsense")),
        "server_cert of .* must hold certificates in PEM form",
    ),
    "no authority": (
        lambda keys, others: replace(keys, authority="nonsense"),
        "custom_ca of .* must hold certificates in PEM form",
    ),
}


@pytest.mark.parametrize("rest_tls", [False, True])
@pytest.mark.parametrize("what", WRONG)
def test_keys_that_cannot_be_are_named_in_one_sentence(serve, file, keys, others, what, rest_tls):
    spoil, message = WRONG[what]
    file.write_text(spoil(keys, others).ssl_config(verify=True))
    with pytest.raises(ServerStartError, match=message) as caught:
        serve(wait=False, security={"ssl_config_file": str(file)}, rest={"port": 0, "tls": rest_tls})
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("days", "level", "words"),
    [
        (31, None, ""),
        (29, logging.WARNING, "in 29 days: put a new one and its key into the file"),
        (-1, logging.ERROR, "expired on 2030-01-01, and clients refuse it"),
    ],
)
def test_the_end_of_a_certificate_is_told(caplog, file, keys, days, level, words):
    file.write_text(keys.ssl_config(verify=False))
    now = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC) - datetime.timedelta(days=days)
    ends = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(hours=1)
    tell_of_the_end(str(file), replace(read_keys(str(file)), ends=ends), now)
    assert [record.levelno for record in caplog.records] == ([level] if level else [])
    assert words in caplog.text


def ask_grpc(server, stub, *credentials: bytes) -> list[float]:
    # Channels of the same target share a connection otherwise.
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.secure_channel(server.address, grpc.ssl_channel_credentials(*credentials), options) as channel:
        prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        return list(prediction.Predict(stub.request(x=[2.0]), timeout=5).outputs["y"].float_val)


def ask_rest(server, context: ssl.SSLContext) -> int:
    connection = http.client.HTTPSConnection("127.0.0.1", server.rest_port, timeout=10, context=context)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    finally:
        connection.close()


def trusting(keys: Keys, client: Keys | None = None, folder=None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=keys.authority)
    if client:
        (folder / "pair.pem").write_text(client.client.cert + client.client.key)
        context.load_cert_chain(folder / "pair.pem")
    return context


@pytest.fixture
def encrypted(serve, base, exported, file):
    """Starts a server with encryption on both ports."""

    def start(keys: Keys, verify: bool):
        file.write_text(keys.ssl_config(verify))
        saved_models.publish(exported / "line2", base, 1)
        return serve(security={"ssl_config_file": str(file)}, rest={"port": 0, "tls": True})

    return start


def test_new_certificates_are_shown_without_a_restart(encrypted, file, keys, others):
    server, stub = encrypted(keys, verify=False)
    old, new = keys.authority.encode(), others.authority.encode()
    with grpc.secure_channel(server.address, grpc.ssl_channel_credentials(old)) as channel:
        held = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        assert ask_grpc(server, stub, old) == [3]
        assert ask_rest(server, trusting(keys)) == 200
        held.Predict(stub.request(x=[2.0]), timeout=5)
        file.write_text(others.ssl_config(verify=False))
        assert ask_grpc(server, stub, new) == [3]
        assert ask_grpc(server, stub, new) == [3]
        assert ask_rest(server, trusting(others)) == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            ask_rest(server, trusting(keys))
        # What is connected stays so.
        held.Predict(stub.request(x=[2.0]), timeout=5)


def test_new_authorities_of_clients_count_too(encrypted, file, keys, others, tmp_path):
    server, stub = encrypted(keys, verify=True)
    file.write_text(others.ssl_config(verify=True))
    client = (others.client.key.encode(), others.client.cert.encode())
    assert ask_grpc(server, stub, others.authority.encode(), *client) == [3]
    assert ask_rest(server, trusting(others, others, tmp_path)) == 200
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask_rest(server, trusting(others, keys, tmp_path))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask_rest(server, trusting(others))


def test_keys_that_cannot_be_followed_leave_the_old_ones_in_force(encrypted, file, keys, others, caplog):
    server, stub = encrypted(keys, verify=False)
    for text, words in (
        (keys.ssl_config(verify=False)[:300], "the new keys are not followed, the old ones stay"),
        (others.ssl_config(verify=True), "a change of client_verify needs a restart"),
    ):
        file.write_text(text)
        eventually(lambda words=words: words in caplog.text)
        assert ask_grpc(server, stub, keys.authority.encode()) == [3]
        assert ask_rest(server, trusting(keys)) == 200


def test_keys_may_change_while_many_connect(encrypted, file, keys, others):
    server, _ = encrypted(keys, verify=False)
    context = ssl.create_default_context(cadata=keys.authority + others.authority)
    end, answers = time.monotonic() + 2, []

    def connect():
        while time.monotonic() < end:
            answers.append(ask_rest(server, context))

    threads = [threading.Thread(target=connect) for _ in range(4)]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        for each in (others, keys):
            new = file.with_suffix(".new")
            new.write_text(each.ssl_config(verify=False))
            new.rename(file)
            time.sleep(0.05)
    for thread in threads:
        thread.join()
    assert answers and set(answers) == {200}
