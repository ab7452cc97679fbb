"""A server of the model that says its prompt."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from serving.server import Server
from serving.settings import ServingSettings
from tests.serving import saved_models
from tests.serving.conftest import QUICK
from tests.serving.echo import Echo


@contextlib.contextmanager
def echo_server(echo: Echo, folder: Path) -> Iterator[Server]:
    """Serves it as version 4 of m."""
    saved_models.publish(echo.save(folder / "model"), folder / "base", 4)
    with Server("m", folder / "base", ServingSettings(**QUICK)) as server:
        server.wait_until_available(20)
        yield server
