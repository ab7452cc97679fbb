"""Models that break beside others in one server: the others answer throughout.

    python -m benchmarks.serving.faults --model outputs/serving/dates --texts texts.txt --output faults.json

One server serves six copies of a model. Two stay whole and are asked all the time. Of the others one loses its folder
and three get a new version that cannot be: cut variables, an unknown op, a signature over tensors that are not there.
Then the server starts again with all of it in place.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import grpc
import typer
from rich.progress import track

from benchmarks.serving.processes import Load, Program, Target, clean_up_on_sigterm, our_server
from benchmarks.serving.published import FAULTS, publish, publish_broken, versions
from benchmarks.serving.requests import groups, predict_requests, read_requests, read_texts, write_requests
from benchmarks.serving.servers import newest_version, text_input
from benchmarks.serving.tables import markdown
from serving.client import Client

WHOLE = ("whole_a", "whole_b")
KILLED = "folder_deleted"
BROKEN = {fault.replace(" ", "_"): fault for fault in FAULTS}
NAMES = (*WHOLE, KILLED, *BROKEN)
LONGEST_SECONDS = 3600.0


class Scene:
    """The folders of all models, and a file of requests for each."""

    def __init__(self, folder: Path, source: Path, signature: str, texts: Sequence[str]) -> None:
        self.folder = folder
        self._source = source
        alias, lines = text_input(source, signature), groups(texts, 1)
        for name in NAMES:
            (folder / name).mkdir()
            publish(source, folder / name, 1)
            write_requests(self.requests(name), predict_requests(name, signature, alias, lines))
        entries = "".join(
            f'config {{ name: "{name}" base_path: "{folder / name}" model_platform: "tensorflow" }}\n' for name in NAMES
        )
        (folder / "models.pbtxt").write_text(f"model_config_list {{\n{entries}}}\n")

    def requests(self, name: str) -> Path:
        """The file of requests for a model."""
        return self.folder / f"{name}.json"

    def break_model(self, name: str) -> None:
        """Brings its fault in."""
        if name == KILLED:
            shutil.rmtree(self.folder / name)
        else:
            publish_broken(self._source, self.folder / name, 2, BROKEN[name])


def serve(scene: Scene, phase: str, faults: Sequence[str], pause: float, clients: int) -> dict[str, Any]:
    """Serves all models; brings in the faults one after another while the whole models are asked."""
    flags = (f"--model_config_file={scene.folder / 'models.pbtxt'}", "--ports_open_at_once", "--retry_for_ever")
    with our_server(scene.folder / "server.log", *flags, "--skip_incomplete_versions") as (program, address):
        targets = {name: Target(address, scene.requests(name)) for name in NAMES}
        for name in WHOLE if not faults else NAMES:
            _wait(program, targets[name])
        loads = {name: Load(targets[name], clients, LONGEST_SECONDS) for name in WHOLE}
        try:
            for name in track(faults or [""], phase):
                if name:
                    scene.break_model(name)
                time.sleep(pause)
            time.sleep(pause)
            seen = [_seen(address, name, target) for name, target in targets.items()]
        finally:
            reports = {name: asdict(load.stop()) for name, load in loads.items()}
        return {"phase": phase, "server_survived": program.is_running(), "whole": reports, "seen": seen}


def _wait(program: Program, target: Target) -> None:
    first = read_requests(target.requests)[0]
    program.wait_until(lambda: target.answers(first))


def _seen(address: str, name: str, target: Target) -> dict[str, Any]:
    """The states of a model's versions, and what a request to it gets."""
    with Client(address, name) as client:
        found = [asdict(one) for one in versions(client)]
    try:
        target.ask(read_requests(target.requests)[0])
        answer = "OK"
    except grpc.RpcError as error:
        answer = error.code().name
    return {"model": name, "versions": found, "answer": answer}


def table(phases: Sequence[dict[str, Any]]) -> str:
    """A row for each model in each phase."""
    rows = []
    for phase in phases:
        for seen in phase["seen"]:
            whole = phase["whole"].get(seen["model"])
            found = ", ".join(f"{one['version']} {one['state']}" for one in reversed(seen["versions"]))
            counts = (whole["answered"], sum(whole["errors"].values())) if whole else ("-", "-")
            rows.append([phase["phase"], seen["model"], found or "none", seen["answer"], *counts])
    return markdown(["faults come", "model", "versions at the end", "a request then", "answered", "failed"], rows)


def main(
    model: Annotated[Path, typer.Option(help="Pushed model: a folder with one folder per version.")],
    texts: Annotated[list[Path], typer.Option(help="File of texts, one per line; repeatable.")],
    output: Annotated[Path, typer.Option(help="Where the JSON goes.")],
    pause: Annotated[float, typer.Option(min=0.1, max=60, help="Seconds after each fault.")] = 10.0,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Clients of each whole model.")] = 2,
    signature: Annotated[str, typer.Option(help="Signature with one input of texts.")] = "serving_default",
) -> None:
    """Breaks models beside others that are asked all the time."""
    clean_up_on_sigterm()
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(Path(folder), newest_version(model).resolve(), signature, read_texts(texts))
        later = serve(scene, "while serving", (KILLED, *BROKEN), pause, concurrency)
        before = serve(scene, "before the start", (), pause, concurrency)
    output.write_text(json.dumps({"model": model.name, "phases": [later, before]}, indent=1))
    print(table([later, before]))
    if not all(phase["server_survived"] for phase in (later, before)):
        raise typer.Exit(1)
    if any(report["errors"] for phase in (later, before) for report in phase["whole"].values()):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
