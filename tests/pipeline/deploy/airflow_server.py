"""A real Airflow of a test's own: scheduler, and with Airflow 3 what else it needs, over PostgreSQL."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from tests.pipeline.deploy.postgres import ask, free_port, postgres

ROOT = Path(__file__).parents[3]
NEEDED = {2: ("scheduler",), 3: ("api-server", "dag-processor", "scheduler")}


def program(version: int, name: str) -> str:
    """A program of that Airflow's environment; skips where it is not set up."""
    path = ROOT / f".airflow{version}" / "bin" / name
    if not path.exists():
        pytest.skip(f"no Airflow {version}: scripts/airflow.sh {version} sets it up")
    return str(path)


def environment(home: Path) -> dict[str, str]:
    """Of an Airflow that knows nothing but the DAGs of the test."""
    (home / "dags").mkdir(parents=True, exist_ok=True)
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW")},
        "PYTHONPATH": str(ROOT),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }


class Airflow:
    """The running parts.

    Attributes:
        dags: the folder in which it looks.
    """

    def __init__(self, version: int, home: Path, database: int) -> None:
        api = free_port()
        self.version, self.home, self.database, self.dags = version, home, database, home / "dags"
        self.environment = environment(home) | {
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{api}/execution/",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(api),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": "of this test alone, and long enough for what signs with it",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://test@127.0.0.1:{database}/test",
            # A scheduler that was killed, and its tasks, are missed at once.
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "10",
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
            "AIRFLOW__SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD": "20",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
            "AIRFLOW__SCHEDULER__ZOMBIE_DETECTION_INTERVAL": "5",
            "AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL": "5",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        }
        self.parts: dict[str, subprocess.Popen[bytes]] = {}
        self.groups: list[int] = []
        self.log: IO[bytes] = open(home / "parts.log", "ab")  # noqa: SIM115  # closed in stop()

    def command(self, *arguments: str) -> str:
        """What a command of Airflow's says."""
        done = subprocess.run(
            [program(self.version, "airflow"), *arguments], env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, part: str) -> None:
        """Starts one of `NEEDED`."""
        self.parts[part] = subprocess.Popen(
            [program(self.version, "airflow"), part],
            env=self.environment,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        self.groups.append(self.parts[part].pid)

    def _signal(self, number: int) -> None:
        for group in self.groups:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, number)

    def kill_scheduler(self) -> None:
        """As when its machine's memory is full: the process ends at once, what it has started does not."""
        scheduler = self.parts.pop("scheduler")
        scheduler.kill()
        scheduler.wait()

    def stop(self) -> None:
        """Ends what was started, tasks too."""
        self._signal(signal.SIGTERM)
        for part in self.parts.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                part.wait(timeout=30)
        # What a killed scheduler has left, too.
        self._signal(signal.SIGKILL)
        self.log.close()

    def states(self, dag: str, run: str) -> dict[str, str]:
        """Task to its state."""
        where = f"dag_id = '{dag}' and run_id = '{run}'"
        return dict(ask(self.database, f"select task_id, state from task_instance where {where}"))

    def tries(self, dag: str, run: str, task: str) -> int:
        """How often a task has been tried."""
        where = f"dag_id = '{dag}' and run_id = '{run}' and task_id = '{task}'"
        [[count]] = ask(self.database, f"select try_number from task_instance where {where}")
        return int(count)

    def ended(self, dag: str, run: str) -> str:
        """The state of a run that has ended; "" before."""
        found = ask(self.database, f"select state from dag_run where dag_id = '{dag}' and run_id = '{run}'")
        return found[0][0] if found and found[0][0] in ("success", "failed") else ""

    def task_log(self, dag: str, run: str, task: str, attempt: int = 1) -> str:
        """What Airflow shows as the log of a task."""
        folder = self.home / "logs" / f"dag_id={dag}" / f"run_id={run}" / f"task_id={task}"
        return (folder / f"attempt={attempt}.log").read_text(encoding="utf-8")


def until(seconds: float, look: Callable[[], Any]) -> Any:
    """Looks until it is true, or the time is over."""
    ends = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < ends, f"waited {seconds} s in vain"
        time.sleep(0.5)
    return found


@contextlib.contextmanager
def airflow(version: int, home: Path) -> Iterator[Airflow]:
    """Starts all parts over an empty database, and ends them."""
    program(version, "airflow")
    home.mkdir(parents=True, exist_ok=True)
    with postgres() as database:
        server = Airflow(version, home, database)
        try:
            server.command("db", "migrate")
            for part in NEEDED[version]:
                server.start(part)
            yield server
        finally:
            server.stop()
