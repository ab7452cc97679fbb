import datetime
import errno
from pathlib import Path

import pytest
from rich.console import Console

from components.errors import DataError
from pipeline.config.config import Config
from pipeline.errors import StageFailed
from pipeline.history.runs import Run
from pipeline.run.run import Outcome
from pipeline.run.summary import BAD_INPUT, BUG, DONE, NOT_BLESSED, print_outcome

LOG = Path("/somewhere/logs/1.log")


def outcome(failure: StageFailed | None = None, **values: object) -> Outcome:
    fields = {"config_file": "dates.yaml", "state": "done", "stages": {}, **values}
    started = datetime.datetime(2024, 3, 5, tzinfo=datetime.UTC)
    return Outcome(Run("1", "dates", config_hash="ab", started=started, seconds=1.0, **fields), LOG, failure)


def shown(config: Config, result: Outcome) -> tuple[int, str]:
    with open("/dev/null", "w") as nowhere:
        console = Console(width=60, record=True, file=nowhere)
        code = print_outcome(console, config, result)
    return code, console.export_text()


def test_a_pushed_model(dates_config: Config) -> None:
    code, text = shown(
        dates_config,
        outcome(
            blessed=True,
            pushed_version="1700000000",
            pushed_to="/a/very/long/path/that/does/not/fit/into/sixty/columns/serving/dates/1700000000",
            metrics={"exact_match": 0.99512, "bleu": 98.0},
            pages={"evaluation": "/artifacts/ModelEvaluator/evaluation/9"},
        ),
    )
    assert code == DONE
    assert "exact_match    0.9951\n" in text and "bleu           98\n" in text
    assert (
        "version 1700000000 in /a/very/long/path/that/does/not/fit/into/sixty/columns/serving/dates/1700000000\n"
        in text
    )
    assert "  evaluation     /artifacts/ModelEvaluator/evaluation/9\n" in text and str(LOG) in text
    assert "Next: seqline serve -c dates.yaml" in text


def test_a_model_that_falls_short_names_metric_value_and_bound(dates_config: Config) -> None:
    shortfall = "exact_match is 0.3; at least 0.99 was asked (evaluation.thresholds.exact_match.min)"
    code, text = shown(dates_config, outcome(blessed=False, shortfalls=[shortfall]))
    assert code == NOT_BLESSED
    assert "Not pushed: the model falls short" in text and shortfall in text


@pytest.mark.parametrize("blessed", [True, False])
def test_warnings_are_told_whether_the_model_is_pushed_or_not(dates_config: Config, blessed: bool) -> None:
    warnings = ["accuracy is 0.5, no better than the 0.5 of a guess", "2 of 9 texts are too long"]
    pushed = {"pushed_version": "1", "pushed_to": "/serving/1"} if blessed else {}
    code, text = shown(dates_config, outcome(blessed=blessed, warnings=warnings, **pushed))
    assert code == (DONE if blessed else NOT_BLESSED)
    assert all(f"\nwarning: {warning}\n" in text for warning in warnings)


def test_what_a_judge_found_can_be_opened(dates_config: Config) -> None:
    _, text = shown(dates_config, outcome(blessed=False, pages={"review": "/artifacts/Review/9/page.html"}))
    assert "  review         /artifacts/Review/9/page.html\n" in text


def test_a_model_that_failed_on_the_server(dates_config: Config) -> None:
    code, text = shown(dates_config, outcome(blessed=True, servable=False, not_servable="it has no signature x"))
    assert code == NOT_BLESSED
    assert "failed its test on the server: it has no signature x" in text


def test_the_next_command_serves_what_was_pushed(dates_config: Config) -> None:
    overrides = ["training.epochs=1", "output_dir=/a b"]
    with open("/dev/null", "w") as nowhere:
        console = Console(width=60, record=True, file=nowhere)
        print_outcome(console, dates_config, outcome(blessed=True, pushed_version="1", pushed_to="/a b/1"), overrides)
    assert "Next: seqline serve -c dates.yaml --set 'output_dir=/a b'\n" in console.export_text()


def test_only_lines_that_are_not_indented_are_errors_of_their_own(dates_config: Config) -> None:
    _, text = shown(dates_config, outcome(StageFailed("ExampleGen", DataError("bad records:\n  a:1: empty\n  Mend."))))
    assert "error: ExampleGen: bad records:\n  a:1: empty\n  Mend.\n" in text


@pytest.mark.parametrize(
    ("cause", "expected", "message"),
    [
        (DataError("train.tsv:7: [label] is empty"), BAD_INPUT, "error: ExampleGen: train.tsv:7: [label] is empty"),
        (OSError(errno.ENOSPC, "No space left on device"), BAD_INPUT, "error: ExampleGen: No space left on "),
        (ValueError("shapes do not match"), BUG, "error: ExampleGen: ValueError: shapes do not match"),
    ],
)
def test_a_failed_stage(dates_config: Config, cause: Exception, expected: int, message: str) -> None:
    code, text = shown(dates_config, outcome(StageFailed("ExampleGen", cause)))
    assert code == expected
    assert message in text
    assert f"The whole story: {LOG}" in text


def test_a_full_disk_says_that_the_run_resumes(dates_config: Config) -> None:
    _, text = shown(dates_config, outcome(StageFailed("Trainer", OSError(errno.ENOSPC, "No space left on device"))))
    assert f"{Path(dates_config.output_dir)}; free some and run again: the run resumes" in text


def test_a_failure_that_tfx_did_not_raise(dates_config: Config) -> None:
    code, text = shown(dates_config, outcome(StageFailed("Pusher", None, "model has no artifacts")))
    assert (code, "error: Pusher: model has no artifacts" in text) == (BUG, True)


WARNED = "TokenizerTrainer: 12.00% of the tokens of text in split eval are unknown"


def test_what_is_known_of_the_data_and_the_warnings_are_told(dates_config: Config) -> None:
    found = {"warnings": [WARNED], "data": {"unknown_eval": 0.12, "refused": 3}}
    _, text = shown(dates_config, outcome(blessed=True, pushed_version="1", pushed_to="/a/1", **found))
    assert "  unknown_eval   12.00%\n" in text and "  refused        3\n" in text
    assert f"warning: {WARNED}\n" in text


def test_a_run_that_failed_tells_its_warnings_too(dates_config: Config) -> None:
    _, text = shown(dates_config, outcome(StageFailed("Trainer", ValueError("x")), warnings=[WARNED]))
    assert f"warning: {WARNED}\n" in text
