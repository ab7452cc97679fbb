"""The client in a Python process that has grpcio, protobuf and numpy, and nothing else to install."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import saved_models

ROOT = Path(__file__).parents[3]
# Refuses every import beyond the standard library, the three packages and the one that grpcio brings along.
_BARE = """
import sys

class Refuse:
    allowed = sys.stdlib_module_names | {"grpc", "google", "numpy", "serving", "typing_extensions"}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in self.allowed or name.startswith("google.") and not name.startswith("google.p"):
            raise ModuleNotFoundError(f"refused: {name}", name=name)

sys.meta_path.insert(0, Refuse())
"""


def _run(code: str, *arguments: str, bare: bool = True, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", (_BARE if bare else "") + code, *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


_ASK = """
from serving.client import Client
with Client(sys.argv[1], "m") as client:
    print(client.predict({"x": [2.0, 4.0]})["y"].tolist(), client.metadata()["serving_default"].inputs["x"].dtype)
"""


# Protobuf has a second implementation, in plain Python, for machines without a wheel.
@pytest.mark.parametrize("implementation", ["upb", "python"])
def test_a_client_works_where_only_three_packages_are(serve, base, exported, implementation):
    saved_models.publish(exported / "line2", base, 1)
    server, _ = serve()
    assert _run(_ASK, server.address, PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=implementation) == "[3.0, 4.0] 1\n"


def test_the_bare_process_is_bare():
    with pytest.raises(AssertionError, match="refused: tensorflow"):
        _run("import tensorflow")


def test_importing_the_client_loads_no_tensorflow_and_takes_less_than_a_second():
    code = """
import sys, time
started = time.perf_counter()
import serving.client
seconds = time.perf_counter() - started
print(seconds, [name for name in sys.modules if name.startswith(("tensorflow", "tensorboard", "keras", "pydantic"))])
"""
    # The best of three: the machine may have other work.
    answers = [_run(code, bare=False).split(maxsplit=1) for _ in range(3)]
    assert {loaded.strip() for _, loaded in answers} == {"[]"}
    assert min(float(seconds) for seconds, _ in answers) < 1.0
