import json
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner, Result

from pipeline.cli import app
from pipeline.config import config
from pipeline.run.lock import run_lock
from tests.components.example_gen.recordings import write_wav


def seqline(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_help_names_every_command_and_loads_no_tensorflow() -> None:
    script = (
        "import sys; from pipeline.cli import app\n"
        "try: app(['--help'])\n"
        "finally: print({'tensorflow', 'tfx', 'apache_beam', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    for command in (
        "run",
        "compile",
        "node",
        "plan",
        "validate",
        "schema",
        "serve",
        "predict",
        "runs",
        "doctor",
        "demo",
    ):
        assert f"│ {command} " in done.stdout
    assert done.stdout.rstrip().endswith("set()"), "a heavy package was imported"


def test_without_a_command_the_help_is_shown() -> None:
    assert "Commands" in seqline().output


def test_validate_says_that_all_is_well(dates_file: Path) -> None:
    result = seqline("validate", "-c", dates_file)
    assert result.exit_code == 0
    assert result.output == (
        "all data read: 200 records\n  train  180 records\n  eval   20 records\n"
        f"{dates_file} is valid: dates, text_to_text with seq2seq\n"
    )


def opinions(folder: Path, rows: str) -> Path:
    (folder / "t.tsv").write_text(f"text\tlabel\n{rows}", encoding="utf-8")
    (folder / "e.tsv").write_text("text\tlabel\ng\tpos\nh\tneg\n", encoding="utf-8")
    file = folder / "opinions.yaml"
    file.write_text(
        f"name: x\ntask: text_classification\ndata: {{train: {folder}/t.tsv, eval: {folder}/e.tsv}}\n"
        "tokenizer: {unit: wordpiece, max_sequence_length: 2}\nmodel: {architecture: recurrent}\n",
        encoding="utf-8",
    )
    return file


def test_validate_tells_what_a_person_would_want_to_hear(tmp_path: Path) -> None:
    file = opinions(tmp_path, "ab gh fine\tpos\ng\tneg\n")
    result = seqline("validate", "-c", file)
    assert result.exit_code == 0
    assert "  train  2 records, label: neg, pos\n" in result.output
    assert "warning: 1 of 2 records of split eval (50.00%) have a text that stands in train too" in result.output
    long = "1 of 2 texts of text in the train split are longer than 2 tokens (the longest has 3); 1 are cut there"
    assert f"warning: {long}" in result.output


def test_validate_tells_what_is_passed_over_and_which_answers_are_too_long(tmp_path: Path, dates_file: Path) -> None:
    assert (
        "  passed over: 2 blank lines\n" in seqline("validate", "-c", opinions(tmp_path, "a\tpos\n\nb\tneg\n\n")).output
    )
    result = seqline("validate", "-c", dates_file, "--set", "decoding.max_length=4")
    assert "texts of target in the train split are longer than 4 tokens" in result.output and result.exit_code == 0
    override = ("--set", "data.too_long_target=fail")
    result = seqline("validate", "-c", dates_file, "--set", "decoding.max_length=4", *override)
    assert "It says fail: shorten the texts, or raise the limit." in result.stderr and result.exit_code == 2


def test_validate_stops_where_the_run_would(tmp_path: Path) -> None:
    file = opinions(tmp_path, "a\tpos\nb\tneg\nc\n")
    result = seqline("validate", "-c", file)
    assert result.exit_code == 2
    assert "1 of 3 records of split train cannot be used (33.33%)" in result.stderr
    result = seqline("validate", "-c", file, "--seconds", "0")
    assert (result.exit_code, result.output) == (0, f"{file} is valid: x, text_classification with recurrent\n")


def test_validate_misses_a_list_of_names_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("Ann B-name\nsings O\n\nBo B-name\n")
    (tmp_path / "names.yaml").write_text(
        f"name: names\ntask: sequence_labeling\ndata: {{path: {tmp_path}/a.conll}}\n"
        f"model: {{architecture: recurrent}}\nlabeling: {{gazetteers: {{person: {tmp_path}/none.txt}}}}\n"
    )
    result = seqline("validate", "-c", tmp_path / "names.yaml")
    assert result.exit_code == 2
    assert f"{tmp_path}/none.txt: cannot be read" in " ".join(result.stderr.split())


def test_validate_refuses_a_threshold_for_a_label_that_no_record_has(tmp_path: Path) -> None:
    file = opinions(tmp_path, "a\tpos\nb\tneg\n")
    result = seqline("validate", "-c", file, "--set", "evaluation.thresholds={f1/maybe: {min: 0.5}}")
    assert result.exit_code == 2
    assert 'evaluation.thresholds.f1/maybe is about label "maybe", which no record of train has' in result.stderr


def test_each_problem_is_one_error_line_and_the_exit_code_is_2(dates_file: Path) -> None:
    result = seqline("validate", "-c", dates_file, "--set", "model.num_layer=3", "--set", "seed=-1")
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert len(lines) == 2 and all(line.startswith("error: --set ") for line in lines)
    assert "did you mean model.num_layers?" in result.stderr


@pytest.mark.parametrize("arguments", [("run", "--nosuch"), ("nosuch",), ("predict",), ("runs", "--last", "0")])
def test_a_wrong_command_line_gives_2(arguments: tuple[str, ...]) -> None:
    assert seqline(*arguments).exit_code == 2


def test_a_missing_data_file_stops_before_anything_is_written(dates_file: Path, tmp_path: Path) -> None:
    settings = yaml.safe_load(dates_file.read_text())
    settings["data"] = {"train": str(tmp_path / "no-*.tsv"), "eval": str(tmp_path / "no.tsv")}
    dates_file.write_text(yaml.safe_dump(settings))
    for command in ("validate", "plan", "run"):
        result = seqline(command, "-c", dates_file)
        assert result.exit_code == 2, result.output
        assert "no-*.tsv" in result.stderr
    assert not (tmp_path / "outputs").exists()


def test_a_judge_of_the_clips_that_is_not_there_stops_before_anything_is_written(tmp_path: Path) -> None:
    for number in range(2):
        write_wav(tmp_path / f"a_{number}.wav", np.zeros(800), rate=8000)
    config = tmp_path / "config.yaml"
    config.write_text(
        f"name: digits\ntask: audio_generation\nmodel: {{architecture: wavenet}}\naudio: {{sample_rate: 8000}}\n"
        f"data: {{path: {tmp_path}/a_*.wav}}\nclips: {{recognizer: {tmp_path}/ears}}\noutput_dir: {tmp_path}/outputs\n"
    )
    for command in ("validate", "plan", "run"):
        result = seqline(command, "-c", config)
        assert result.exit_code == 2, result.output
        assert f"Received: {tmp_path}/ears, which does not exist" in " ".join(result.stderr.split())
    assert not (tmp_path / "outputs").exists()


def test_schema_is_written_to_a_file_or_shown(tmp_path: Path) -> None:
    shown = seqline("schema")
    assert json.loads(shown.stdout)["title"] == "Seqline configuration"
    assert seqline("schema", tmp_path / "schema.json").exit_code == 0
    assert (tmp_path / "schema.json").read_text() == shown.stdout


def test_runs_before_the_first_run(dates_file: Path) -> None:
    result = seqline("runs", "-c", dates_file)
    assert (result.exit_code, "Start one: seqline run" in result.output) == (0, True)
    assert json.loads(seqline("runs", "--json", "-c", dates_file).stdout) == []


def test_serve_before_the_first_push(dates_file: Path) -> None:
    result = seqline("serve", "-c", dates_file)
    assert result.exit_code == 2
    assert "holds no pushed model; make one first: seqline run" in result.stderr


def test_serve_on_a_port_in_use(dates_file: Path, tmp_path: Path) -> None:
    (tmp_path / "outputs" / "serving" / "dates" / "1").mkdir(parents=True)
    for setting in ("serving.port", "serving.rest.port"):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            # The other of the two ports is any free one.
            ports = [f"serving.port={0 if 'rest' in setting else port}", f"serving.rest.port={port}"]
            result = seqline("serve", "-c", dates_file, "--set", ports[0], "--set", ports[1])
        assert result.exit_code == 2
        assert f"127.0.0.1:{port} is in use by another program" in result.stderr
        assert f"--set {setting}=" in result.stderr


def test_predict_without_a_server_says_how_to_start_one(dates_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    result = seqline("predict", "5. März 2024", "-c", dates_file, "--set", f"serving.port={port}")
    assert result.exit_code == 2
    assert "seqline serve" in result.stderr
    assert "Traceback" not in result.output


def test_doctor_lists_its_findings(dates_file: Path) -> None:
    result = seqline("doctor", "-c", dates_file, "--set", "serving.port=0")
    assert result.exit_code == 0, result.output
    assert "glibc" in result.output
    assert seqline("doctor", "-c", dates_file, "--set", "seed=x").exit_code == 1


def test_plan_runs_nothing(dates_file: Path, tmp_path: Path) -> None:
    result = seqline("plan", "-c", dates_file)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert len(lines) == 11 and all(line.endswith("would run") for line in lines)
    assert not (tmp_path / "outputs").exists()


def test_a_locked_folder_gives_2(dates_file: Path, tmp_path: Path) -> None:
    with run_lock(tmp_path / "outputs"):
        result = seqline("run", "-c", dates_file)
    assert result.exit_code == 2
    assert "is in use by another run (process " in result.stderr


def test_bad_data_show_their_own_error_and_the_log_and_the_next_run_resumes(dates_file: Path, tmp_path: Path) -> None:
    table = tmp_path / "train.tsv"
    table.write_text("source\ttarget\na\tb\nc\n")
    (tmp_path / "eval.tsv").write_text("source\ttarget\na\tb\n")
    settings = yaml.safe_load(dates_file.read_text())
    settings["data"] = {"train": str(table), "eval": str(tmp_path / "eval.tsv")}
    dates_file.write_text(yaml.safe_dump(settings))

    result = seqline("run", "-c", dates_file)
    assert result.exit_code == 2, result.output
    assert "error: ExampleGen: " in result.output
    assert f"{table}:3" in result.output
    assert "Traceback" not in result.output and "while running" not in result.output
    [log] = (tmp_path / "outputs" / "logs").glob("*.log")
    assert f"The whole story: {log}" in result.output
    assert "Traceback" in log.read_text()
    [page] = (tmp_path / "outputs" / "reports").glob("*/report.html")
    assert f"The report of the run: {page}" in result.output
    assert "Not pushed: the run failed in stage ExampleGen" in page.read_text() and f"{table}:3" in page.read_text()
    again = seqline("report", "-c", dates_file)
    assert (again.stdout.splitlines(), again.stderr) == ([str(page)], "")
    assert f"{table}:3" in page.read_text(), "of which ML Metadata knows nothing"
    assert "--run must be a run of" in seqline("report", "-c", dates_file, "--run", "none").stderr

    [told] = json.loads(seqline("runs", "--json", "-c", dates_file).stdout)
    assert (told["state"], told["config_file"]) == ("failed in ExampleGen", str(dates_file))


def test_serve_on_a_folder_that_is_no_saved_model(dates_file: Path, tmp_path: Path) -> None:
    version = tmp_path / "outputs" / "serving" / "dates" / "1"
    version.mkdir(parents=True)
    result = seqline("serve", "-c", dates_file, "--set", "serving.port=0")
    assert result.exit_code == 2
    assert f"{version} is not a SavedModel: it holds no saved_model.pb" in result.stderr
    assert not (tmp_path / "outputs" / "logs").exists()


def test_serve_on_an_address_that_is_not_here(dates_file: Path, tmp_path: Path) -> None:
    (tmp_path / "outputs" / "serving" / "dates" / "1").mkdir(parents=True)
    # Of the range for documentation; no machine has it.
    result = seqline("serve", "-c", dates_file, "--set", "serving.host=192.0.2.1")
    assert result.exit_code == 2
    assert "serving.host must be an address of this machine" in result.stderr and "192.0.2.1" in result.stderr


def test_an_output_folder_that_cannot_be_made(dates_file: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = seqline("run", "-c", dates_file, "--set", f"output_dir={tmp_path}/file/outputs")
    assert result.exit_code == 2
    assert f"output_dir must be a folder that can be written. Received: {tmp_path}/file/outputs" in result.stderr


def test_a_schema_that_cannot_be_written(tmp_path: Path) -> None:
    result = seqline("schema", tmp_path / "nowhere" / "schema.json")
    assert result.exit_code == 2
    assert "nowhere/schema.json cannot be written: No such file or directory" in result.stderr


def test_an_unusable_data_file_stops_before_anything_is_written(dates_file: Path, tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("source\ttraget\na\tb\n")
    result = seqline("run", "-c", dates_file, "--set", f"data={{path: {tmp_path}/a.tsv}}")
    assert result.exit_code == 2
    assert 'no column "target"' in result.stderr and 'Did you mean "traget"?' in result.stderr
    assert not (tmp_path / "outputs").exists()


def test_sigterm_ends_a_command_as_ctrl_c_does(dates_file: Path) -> None:
    script = (
        "import os, signal, sys, time\n"
        "from pipeline import cli\n"
        "def work(*arguments):\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        time.sleep(60)\n"
        "    finally:\n"
        "        print('cleaned up')\n"
        "cli.run_pipeline = work\n"
        f"sys.argv = ['seqline', 'run', '-c', {str(dates_file)!r}]\n"
        "cli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stdout) == (143, "cleaned up\n")
    assert done.stderr == "error: interrupted; the same command goes on from here\n"


def test_tables_in_a_pipe_end_where_their_words_end(dates_file: Path) -> None:
    for line in seqline("doctor", "-c", dates_file, "--set", "serving.port=0").output.splitlines():
        assert line == line.rstrip()


def test_a_rule_of_the_gate_that_there_is_not_cannot_be_approved(dates_file: Path) -> None:
    result = CliRunner().invoke(app, ["run", "-c", str(dates_file), "--approve", "smell"])
    assert result.exit_code == 2
    told = " ".join(result.stderr.split())
    assert "--approve must name a rule of data.gate: control_characters, scripts, length_ratio, sound, repeated" in told


def test_an_approved_rule_warns_and_stands_in_the_history() -> None:
    assert config.approvals(["scripts", "repeated"]) == ["data.gate.scripts=warn", "data.gate.repeated=warn"]
