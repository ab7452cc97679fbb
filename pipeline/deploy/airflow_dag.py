"""A line of Seqline as a DAG of Airflow 2.11 or 3: a copy of this file stands in the folder of DAGs beside its JSON.

Airflow reads it every few seconds, in an environment that has nothing but Airflow. So it imports nothing else, and each
task starts Seqline as a program of its own environment. Both files are written by `seqline deploy --to airflow`.
"""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

try:
    from airflow.providers.standard.hooks.subprocess import SubprocessHook
    from airflow.sdk import DAG, BaseOperator, BaseOperatorLink
    from airflow.sdk.exceptions import AirflowException, AirflowFailException

    IS_AIRFLOW_3 = True
except ImportError:
    from airflow.exceptions import AirflowException, AirflowFailException
    from airflow.hooks.subprocess import SubprocessHook
    from airflow.models.baseoperator import BaseOperator, BaseOperatorLink
    from airflow.models.dag import DAG

    IS_AIRFLOW_3 = False

LINE = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
COMPILE = "compile"
NOT_BLESSED = 3


class ReportLink(BaseOperatorLink):
    """The report of the run, on the task that wrote it. Airflow 3 keeps what a link says when its task has ended."""

    name = "Report"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        """The address; "" on a task that wrote no report."""
        return operator.report


class Seqline(BaseOperator):
    """One command of Seqline, in the project's own environment."""

    # Airflow 2 knows links of plugins only.
    operator_extra_links = (ReportLink(),) if IS_AIRFLOW_3 else ()

    hook: SubprocessHook | None = None
    report = ""

    def run(self, *arguments: str) -> None:
        """Runs the command; its words, with the reason of a failure, stand in the log of the task."""
        self.hook = SubprocessHook()
        # What is said to Airflow, passwords too, is no business of Seqline.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW_")}
        ended = self.hook.run_command([LINE["program"], *arguments], environment, cwd=LINE["folder"])
        if ended.exit_code == NOT_BLESSED:
            raise AirflowFailException("The model fell short and was not pushed; another try would not change that")
        if ended.exit_code:
            raise AirflowException(f"seqline {arguments[0]} ended with code {ended.exit_code}; the reason stands above")

    def on_kill(self) -> None:
        """Ends the command when the task is ended."""
        if self.hook:
            self.hook.send_sigterm()


class Compile(Seqline):
    """Settles what this run is about: data, code and settings of this moment. Its value is the run's name."""

    def execute(self, context: Any) -> str:
        """Compiles the run anew, under another name, when it has been compiled before and its task was cleared."""
        # Those that were left alone are whatever the configuration says by now.
        given = context["dag_run"].conf or {}
        if unlisted := [key for key in given if key not in LINE["parameters"]]:
            raise AirflowFailException(
                f"Keys of --conf must be parameters of this line: {', '.join(LINE['parameters']) or 'it has none'}. "
                f"Received: {', '.join(unlisted)}. List them in orchestration.parameters and deploy the line anew, or "
                "start the run without them."
            )
        attempt = context["ti"].try_number
        name = context["run_id"] if attempt == 1 else f"{context['run_id']}~{attempt}"
        settings = [*LINE["overrides"], *(f"{key}={json.dumps(value)}" for key, value in given.items())]
        overrides = [word for setting in settings for word in ("--set", setting)]
        file = compiled_file(context)
        self.run("compile", "-c", LINE["config"], *overrides, "--run-id", name, file)
        if json.loads(Path(file).read_text(encoding="utf-8"))["stages"] != LINE["stages"]:
            raise AirflowFailException(
                "This run has other stages than the line that was deployed: deploy it anew, seqline deploy --to airflow"
            )
        return name


class Stage(Seqline):
    """One stage of the run. One that has ended well and is cleared stays as it is, unless `compile` is cleared too."""

    def execute(self, context: Any) -> None:
        """Runs the stage; where the run ends with it, the report is linked."""
        name = context["ti"].xcom_pull(task_ids=COMPILE)
        try:
            # A try that lost its scheduler may still be at work; when it ends well, there is nothing left to do.
            self.run("node", "--wait", compiled_file(context), self.task_id)
        finally:
            if (Path(LINE["reports"]) / name / "report.html").exists():
                self.report = f"{LINE['reports_url']}/{quote(name)}/report.html"
                if not IS_AIRFLOW_3:
                    note_report(context["dag_run"], self.report)


def compiled_file(context: Any) -> str:
    """Where the compiled run stands, the same for all tasks of a run."""
    return f"{LINE['compiled']}/{context['run_id']}.json"


def note_report(dag_run: Any, address: str) -> None:
    """Links the report in the note of the run."""
    from airflow.utils.session import create_session

    with create_session() as session:
        session.merge(dag_run).note = f"[Report]({address})"


with DAG(
    dag_id=LINE["name"],
    description=LINE["description"],
    schedule=LINE["schedule"] or None,
    start_date=datetime.fromisoformat(LINE["start"]).replace(tzinfo=ZoneInfo(LINE["time_zone"])),
    catchup=LINE["catch_up"],
    # A run has the output folder to itself.
    max_active_runs=1,
    params=LINE["parameters"],
    default_args={"retries": LINE["retries"], "retry_delay": timedelta(minutes=LINE["retry_minutes"])},
    tags=["seqline"],
):
    tasks: dict[str, Seqline] = {COMPILE: Compile(task_id=COMPILE)}
    for stage, upstream in LINE["stages"].items():
        pool = {"pool": LINE["pools"][stage]} if stage in LINE["pools"] else {}
        tasks[stage] = Stage(task_id=stage, **pool)
        tasks[stage].set_upstream([tasks[name] for name in upstream or [COMPILE]])
