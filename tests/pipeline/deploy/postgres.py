"""A PostgreSQL server of a test's own, of Debian's package, on a free port."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# The server refuses to run as root.
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs; skips where there is none."""
    for root in ("/", ROOT / ".postgres"):
        for path in Path(root).glob(f"usr/lib/postgresql/*/bin/{name}"):
            return str(path)
    pytest.skip(f"no {name} of PostgreSQL: scripts/postgres.sh sets it up")


@contextlib.contextmanager
def postgres() -> Iterator[int]:
    """Starts a server with the superuser and the database `test`; yields its port."""
    port, folder = free_port(), tempfile.mkdtemp(prefix="seqline-postgres-", dir="/tmp")
    if AS_NOBODY:
        os.chown(folder, 65534, 65534)
    initdb = [*AS_NOBODY, program("initdb"), "-D", f"{folder}/data", "-U", "test", "-A", "trust", "--no-sync"]
    subprocess.run(initdb, check=True, capture_output=True, cwd=folder)
    serve = [*AS_NOBODY, program("postgres"), "-D", f"{folder}/data", "-k", folder, "-p", str(port), "-c", "fsync=off"]
    with open(f"{folder}/log", "wb") as log:
        server = subprocess.Popen(serve, stdout=log, stderr=log, cwd=folder)
    try:
        for _ in range(100):
            if subprocess.run([program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]).returncode == 0:
                break
            time.sleep(0.1)
        ask(port, "create database test", database="postgres")
        yield port
    finally:
        # Fast shutdown: no waiting for clients.
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)
        shutil.rmtree(folder)


def ask(port: int, query: str, database: str = "test") -> list[list[str]]:
    """The rows that a query gives."""
    command = [program("psql"), "-h", "127.0.0.1", "-p", str(port), "-U", "test", "-d", database, "-At", "-F", "\t"]
    answer = subprocess.run([*command, "-c", query], check=True, capture_output=True, text=True)
    return [line.split("\t") for line in answer.stdout.splitlines()]
