"""Asking the server of a configuration, in the way that the configuration protects it."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.config import config
from pipeline.serve.ask import ask, is_available
from serving.errors import UnauthenticatedError
from serving.server import Server
from tests.serving import saved_models
from tests.serving.certificates import make_keys


@pytest.fixture
def protected(dates_file: Path, tmp_path: Path) -> config.Config:
    """Settings of a server that asks for certificates and tokens."""
    (tmp_path / "ssl.config").write_text(make_keys().ssl_config(verify=True))
    (tmp_path / "tokens").write_text("one\ntwo\n")
    settings = {
        "port": 0,
        "rest.enabled": "false",
        "security.ssl_config_file": tmp_path / "ssl.config",
        "security.token_file": tmp_path / "tokens",
    }
    return config.load(dates_file, [f"serving.{name}={value}" for name, value in settings.items()])


def test_what_the_server_asks_for_is_shown(protected: config.Config, tmp_path: Path) -> None:
    saved_models.publish(saved_models.save_transformer(tmp_path / "transform"), tmp_path / "base", 1)
    with Server(protected.name, tmp_path / "base", protected.serving) as server:
        server.wait_until_available(20)
        assert is_available(protected, server.port)
        assert ask(protected, ["ü", "ab"], server.port) == ["Ü", "AB"]
        without_token = protected.model_copy(
            update={
                "serving": protected.serving.model_copy(
                    update={"security": protected.serving.security.model_copy(update={"token_file": ""})}
                )
            }
        )
        with pytest.raises(UnauthenticatedError, match="asks for a token"):
            ask(without_token, ["ü"], server.port)


def test_asking_takes_no_tensorflow() -> None:
    script = "import sys, pipeline.serve.ask; print({'tensorflow', 'tfx', 'apache_beam', 'keras'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "set()\n", done.stderr
