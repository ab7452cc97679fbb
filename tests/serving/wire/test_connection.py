"""Encrypted connections and tokens, against the real server."""

import pytest

from serving.client import Client, Tls
from serving.errors import NoServerError, UnauthenticatedError
from tests.serving import saved_models
from tests.serving.wire.certificates import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def encrypted(serve, base, exported, authority, tmp_path):
    """Starts an encrypted server; gives its address."""

    def start(host: str = "server", mutual: bool = False) -> str:
        certificate, key = authority.issue(host)
        fields = {"server_key": key, "server_cert": certificate}
        if mutual:
            fields["custom_ca"] = authority.path
        lines = [f"{name}: {file.read_text()!r}" for name, file in fields.items()]
        config = tmp_path / "ssl.pbtxt"
        config.write_text("\n".join([*lines, f"client_verify: {str(mutual).lower()}"]))
        saved_models.publish(exported / "line2", base, 1)
        server, _ = serve(security={"ssl_config_file": str(config)})
        return server.address

    return start


def _asks(address: str, tls: Tls | None) -> list[float]:
    with Client(address, "m", retry_seconds=0.3, tls=tls) as client:
        return client.predict({"x": [2.0]})["y"].tolist()


def test_an_encrypted_server_is_asked(encrypted, authority):
    assert _asks(encrypted(), Tls(authority.path)) == [3.0]


def test_the_name_in_the_certificate_may_differ_from_the_address(encrypted, authority):
    address = encrypted("models.example")
    assert _asks(address, Tls(str(authority.path), server_name="models.example")) == [3.0]
    with pytest.raises(NoServerError, match="no connection comes about.*`server_name`"):
        _asks(address, Tls(authority.path))


def test_a_server_of_another_authority_is_not_trusted(encrypted, tmp_path):
    stranger = Authority(tmp_path, "stranger")
    address = encrypted()
    for tls in (Tls(stranger.path), Tls()):
        with pytest.raises(NoServerError, match="no connection comes about.*`authority`"):
            _asks(address, tls)


def test_without_encryption_an_encrypted_server_does_not_answer(encrypted):
    with pytest.raises(NoServerError, match="no connection comes about.*`tls` where the server encrypts"):
        _asks(encrypted(), None)


def test_mutual_encryption_asks_for_the_clients_certificate(encrypted, authority):
    address = encrypted(mutual=True)
    assert _asks(address, Tls(authority.path, *authority.issue("client"))) == [3.0]
    with pytest.raises(NoServerError, match="no connection comes about.*`certificate` and `key`"):
        _asks(address, Tls(authority.path))


def test_a_server_without_encryption_is_not_asked_for_any(serve, base, exported, authority):
    saved_models.publish(exported / "line2", base, 1)
    with pytest.raises(NoServerError, match="no connection comes about"):
        _asks(serve()[0].address, Tls(authority.path))


def test_a_certificate_without_its_key_is_refused(authority):
    with pytest.raises(ValueError, match="certificate and key together"):
        Tls(authority.path, certificate=authority.path)


@pytest.fixture
def guarded(serve, base, exported, tmp_path):
    """Address of a server that asks for the token `secret`."""
    tokens = tmp_path / "tokens"
    tokens.write_text("secret\n")
    saved_models.publish(exported / "line2", base, 1)
    return serve(security={"token_file": str(tokens)})[0].address


# A token read from a file often ends in a line break.
@pytest.mark.parametrize("token", ["secret", "secret\n"])
def test_a_token_goes_with_every_call(guarded, token):
    with Client(guarded, "m", token=token) as client:
        assert client.predict({"x": [2.0]})["y"].tolist() == [3.0]
        assert client.at(version=1).versions() == [1]
        assert "serving_default" in client.metadata()


@pytest.mark.parametrize(("token", "message"), [("", "asks for a token"), ("other", "not known")])
def test_without_the_token_every_call_is_refused_at_once(guarded, token, message):
    with Client(guarded, "m", token=token) as client:
        for call in (lambda: client.predict({"x": [2.0]}), client.status, client.metadata):
            with pytest.raises(UnauthenticatedError, match=message):
                call()
