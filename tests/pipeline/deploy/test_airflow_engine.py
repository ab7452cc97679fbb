"""A line under real schedulers of Airflow 2.11 and 3, over PostgreSQL."""

import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from tests.pipeline.conftest import DATES
from tests.pipeline.deploy.airflow_server import Airflow, airflow, until
from tests.pipeline.deploy.postgres import ask
from tests.pipeline.test_stages import LINE

TWO = ("dates", "others")
ORCHESTRATION = "orchestration: {parameters: [training.epochs], pools: {Trainer: gpu}, retries: 2, retry_minutes: 0.05}"
TASKS = {"compile", *LINE}
WHOLE_RUN, ONE_STAGE = 900, 180

pytestmark = [pytest.mark.engines, pytest.mark.timeout(2400)]


@pytest.fixture(scope="module", params=[2, 3])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """With a pool of one slot, and two lines, `dates` and `others`, that nothing has run yet."""
    with airflow(request.param, tmp_path_factory.mktemp("airflow")) as server:
        server.command("pools", "set", "gpu", "1", "one at a time")
        for name in TWO:
            deploy(server, name, ORCHESTRATION)
        yield server


def deploy(server: Airflow, name: str, orchestration: str) -> None:
    """Hands a line of this name over, and waits until it is ready to run."""
    file = server.home / f"{name}.yaml"
    text = DATES.replace("name: dates", f"name: {name}")
    file.write_text(f"{text}output_dir: {server.home}/{name}\n{orchestration}\n", encoding="utf-8")
    deployed = CliRunner().invoke(app, ["deploy", "--to", "airflow", "-c", str(file), str(server.dags)])
    assert deployed.exit_code == 0, deployed.output
    known = f"select dag_id from serialized_dag where dag_id = '{name}'"
    until(ONE_STAGE, lambda: ask(server.database, known) == [[name]])
    server.command("dags", "unpause", "-y", name)


def history(server: Airflow, name: str) -> list[dict]:
    """What `seqline runs` tells."""
    told = CliRunner().invoke(app, ["runs", "--json", "-c", str(server.home / f"{name}.yaml")])
    assert told.exit_code == 0, told.output
    return json.loads(told.stdout)


def test_two_lines_a_failure_and_a_scheduler_that_is_killed(server: Airflow) -> None:
    # Where the stage should write there is a file.
    in_the_way = server.home / "dates" / "artifacts" / "StatisticsGen"
    in_the_way.parent.mkdir(parents=True)
    in_the_way.touch()
    server.command("dags", "trigger", "dates", "--run-id", "manual__1", "--conf", '{"training.epochs": 2}')
    server.command("dags", "trigger", "others", "--run-id", "manual__1")
    until(WHOLE_RUN, lambda: server.states("dates", "manual__1").get("StatisticsGen") == "up_for_retry")
    in_the_way.unlink()
    told = server.task_log("dates", "manual__1", "StatisticsGen")
    assert "error: StatisticsGen: " in told and "is not a directory" in told

    until(WHOLE_RUN, lambda: server.states("others", "manual__1")["SchemaGen"] == "success")
    server.command("dags", "pause", "-y", "others")
    until(WHOLE_RUN, lambda: server.states("dates", "manual__1")["Trainer"] == "running")
    server.kill_scheduler()
    server.start("scheduler")
    until(WHOLE_RUN, lambda: server.ended("dates", "manual__1"))
    assert server.states("dates", "manual__1") == dict.fromkeys(TASKS, "success")
    assert server.tries("dates", "manual__1", "StatisticsGen") == 2
    [run] = history(server, "dates")
    assert (run["run_id"], run["state"]) == ("manual__1", "done")
    versions = (server.home / "dates" / "serving" / "dates").glob("[0-9]*")
    assert [version.name for version in versions] == [run["pushed_version"]], "nothing is pushed twice"
    compiled = [json.loads((server.home / name / "compiled" / "manual__1.json").read_text()) for name in TWO]
    assert [run["config"]["training"]["epochs"] for run in compiled] == [2, 1], "a parameter of one run"
