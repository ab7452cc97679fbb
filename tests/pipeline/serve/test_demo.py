"""The program as a user runs it: one process after another, real stages, a real server, gRPC."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e


def seqline(*arguments: str | Path, code: int = 0) -> str:
    command = [sys.executable, "-m", "pipeline", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stderr == "", "library noise on the terminal"
    return done.stdout


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def test_run_serve_ask_and_run_again(dates_file: Path, tmp_path: Path) -> None:
    # The configured port is taken, so the demonstration must find another.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = ["-c", dates_file, "--set", f"serving.port={taken.getsockname()[1]}"]
        shown = seqline("demo", *settings)
    assert len(re.findall(r"^\[ ?\d+/12\] \w+ +done", shown, re.MULTILINE)) == 12
    asked = shown[shown.index("Asked dates on 127.0.0.1:") :]
    assert len(re.findall(r"^  .+  ->  .*\(target in the data: \d{4}-\d\d-\d\d\)$", asked, re.MULTILINE)) == 3
    [version] = (path for path in (tmp_path / "outputs/serving/dates").iterdir() if path.name.isdigit())
    assert f"version {version.name} in {version}" in shown

    plan = seqline("plan", *settings)
    assert set(re.findall(r"(cached|would run)$", plan, re.MULTILINE)) == {"cached"}

    # A bound that no untrained model keeps: judged again, not pushed, and the reason is said.
    bound = ["--set", "evaluation.thresholds={exact_match: {min: 0.99}}"]
    shown = seqline("run", *settings, *bound, code=3)
    assert "Trainer              cached" in shown
    assert "at least 0.99 was asked (evaluation.thresholds.exact_match.min)" in shown

    short, pushed = json.loads(seqline("runs", "--json", *settings))
    assert (pushed["state"], pushed["blessed"], pushed["pushed_version"]) == ("done", True, version.name)
    assert (short["state"], short["blessed"], short["pushed_version"]) == ("done", False, None)
    assert "exact_match" in pushed["metrics"] and len(short["shortfalls"]) == 1

    port = free_port()
    rest = free_port()
    settings = ["-c", str(dates_file), "--set", f"serving.port={port}", "--set", f"serving.rest.port={rest}"]
    server = subprocess.Popen([sys.executable, "-m", "pipeline", "serve", *settings], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        said = f"Serving dates, version {version.name}, on 127.0.0.1:{port} (gRPC) and 127.0.0.1:{rest} (REST)."
        assert said in server.stdout.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{rest}/readyz", timeout=10) as reply:
            assert json.load(reply) == {"ready": True, "models": {"dates": True}}
        assert len(seqline("predict", "5. März 2024", "1.2.2003", *settings).splitlines()) == 2
    finally:
        server.send_signal(signal.SIGTERM)
    assert server.wait(60) == 0
