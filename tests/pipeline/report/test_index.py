"""The page of all runs."""

import datetime
from pathlib import Path

from playwright.sync_api import Browser

from pipeline.config.config import Config
from pipeline.history.runs import Run
from pipeline.history.table import course, sparkline
from pipeline.report.index import write_index
from pipeline.run.output_folder import OutputFolder
from tests.pipeline.report.pages import looks_well, open_page


def run(number: int, name: str = "films", **facts: object) -> Run:
    started = datetime.datetime(2026, 1, number).astimezone()
    known = {"config_file": "films.yaml", "config_hash": "abcd", "seconds": 12.4, "state": "done", "stages": {}}
    return Run(run_id=f"run{number}", name=name, started=started, **(known | facts))


HISTORY = [
    run(4, state="failed in Trainer"),
    run(
        3,
        metrics={"example_count": 9.0, "auc": 0.5, "accuracy": 0.25},
        blessed=False,
        shortfalls=["<b>accuracy</b> is 0.25"],
    ),
    run(2, "dates", metrics={"exact_match": 1.0}, blessed=True, pushed_version="7"),
    run(1, metrics={"example_count": 9.0, "auc": 0.75, "accuracy": 0.5, "f1/pos": 0.5}, blessed=True, warnings=["few"]),
]


def test_the_course_of_a_metric_is_a_row_of_blocks() -> None:
    assert sparkline([0.0, 0.5, 1.0, 0.1]) == "▁▅█▂"
    assert sparkline([3.0, 3.0]) == "▁▁"
    assert course(HISTORY, "films", "accuracy") == (
        "accuracy of films, oldest to newest of 2 runs: █▁  0.25 to 0.5, at last 0.25"
    )
    assert course(HISTORY, "dates", "exact_match") == ""


def test_all_runs_stand_on_a_page_that_leads_to_their_reports(browser: Browser, tmp_path: Path) -> None:
    config = Config.model_validate(
        {
            "name": "films",
            "task": "text_classification",
            "output_dir": str(tmp_path / "out"),
            "data": {"path": "films.tsv"},
            "model": {"architecture": "recurrent"},
        }
    )
    folder = OutputFolder(config)
    folder.report("run1").mkdir(parents=True)
    (folder.report("run1") / "report.html").write_text("<h1>run 1</h1>", encoding="utf-8")
    file = write_index(folder, HISTORY, {"films": "accuracy"})
    looks_well(browser, file)
    page = open_page(browser, file)
    assert page.locator("h2").all_inner_texts() == ["films", "dates"]
    assert page.locator("figcaption").all_inner_texts() == ["accuracy by run"]
    table, reasons = page.locator("#model-0 > .wide").all()
    rows = [row.split("\t") for row in table.locator("tbody tr").all_inner_texts()]
    assert [row[:4] for row in rows] == [
        ["run4", "failed in Trainer", "12", ""],
        ["run3", "done", "12", "no"],
        ["run1", "done", "12", "yes"],
    ]
    assert reasons.locator("tbody tr").all_inner_texts() == ["run3\t<b>accuracy</b> is 0.25"]
    assert [row[-1] for row in rows] == ["–", "0.25", "0.5"]
    assert page.locator("a[href$='report.html']").all_inner_texts() == ["run1"]
    page.get_by_role("link", name="run1").click()
    assert page.locator("h1").inner_text() == "run 1"
    page.close()
