"""Reports of runs whose evaluations are made by hand."""

import contextlib
import csv
import datetime
import gzip
import json
import math
from pathlib import Path

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2
from playwright.sync_api import Browser
from sklearn.metrics import accuracy_score, confusion_matrix

from components.evaluation.predictions import FILE, Prediction
from pipeline.config.config import Config
from pipeline.history.runs import RUN_CONTEXT, Run
from pipeline.report.card import render_card
from pipeline.report.charts import curves_svg
from pipeline.report.compare import make_comparison
from pipeline.report.form import Curves, Line, Report
from pipeline.report.lineage import Lineage
from pipeline.report.page import render_page
from pipeline.report.pairing import Pairing
from pipeline.report.source import Source
from pipeline.report.write import ReportError, make_report, open_source, write_files
from tests.pipeline.report.pages import looks_well, open_page

CONFIG = Config.model_validate(
    {
        "name": "films",
        "task": "text_classification",
        "data": {"path": "films.tsv"},
        "model": {"architecture": "recurrent"},
        "evaluation": {"thresholds": {"accuracy": {"min": 0.5}}},
        "card": {"intended_use": "To sort reviews."},
    }
)
HOSTILE = [
    "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>",
    "</script></style><b>bold</b> & &amp;",
    "\u202egnitseretni\u202c 🎬👩‍👩‍👧",
    "nothing\0 more",
    "=1+cmd|' /C calc'!A0",
    "very " * 2000,
]


def prediction(text: str, right: str, sure: float, before: float | None = None) -> Prediction:
    """Pos with this score, and by the model of before with that."""

    def outputs(score: float) -> dict:
        scores = [1 - score, score]
        return {"classes": ["neg", "pos"], "scores": scores, "label": ["pos" if score > 0.5 else "neg"]}

    return Prediction(
        features={"text": text, "label": right},
        right=[right],
        outputs=outputs(sure),
        previous={} if before is None else outputs(before),
        slices=[f"label={right}"],
    )


def report_of(folder: Path, predictions: list[Prediction], failure: str = "", **facts) -> tuple[Report, Source]:
    if predictions:
        with gzip.open(folder / FILE, "wt", encoding="utf-8") as stream:
            stream.writelines(json.dumps(one.model_dump()) + "\n" for one in predictions)
    hits = [one.outputs["label"] == one.right for one in predictions]
    usual = {"run_id": "1", "state": "done", "artifacts": {"ModelEvaluator/evaluation": str(folder)}}
    run = Run(
        name="films",
        config_file="films.yaml",
        config_hash="ab",
        started=datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
        seconds=1.0,
        stages={},
        **usual | facts,
        metrics={"example_count": len(hits), "accuracy": sum(hits) / len(hits)} if hits else {},
    )
    lineage = Lineage(None, ["training.epochs=3"], {"python": "3"}, [], "", "")
    source = Source(run, CONFIG, lineage, None, failure, contextlib.ExitStack())
    return make_report(source), source


def page_of(folder: Path, report: Report) -> Path:
    (folder / "report.html").write_text(render_page(report), encoding="utf-8")
    return folder / "report.html"


def words_of(report: Report, section: str) -> str:
    [found] = [one for one in report.sections if one.name == section]
    return " ".join(block.text for block in found.blocks if block.kind == "paragraph")


def test_hostile_data_are_text_that_can_be_searched_sorted_and_saved(tmp_path: Path, browser: Browser) -> None:
    predictions = [prediction(text, ["pos", "neg"][number % 2], 0.9) for number, text in enumerate(HOSTILE)]
    report, source = report_of(tmp_path, predictions, pushed_version="7")
    file = page_of(tmp_path, report)
    looks_well(browser, file)
    page = open_page(browser, file)
    assert page.evaluate("window.hacked") is None
    rows = page.locator(".examples tbody tr:visible")
    assert rows.count() == len(HOSTILE)
    shown = " ".join(rows.all_inner_texts())
    assert HOSTILE[0] in shown and "nothing⟨U+0000⟩ more" in shown and "⟨U+202E⟩" in shown and "🎬👩‍👩‍👧" in shown
    assert "(10000 characters)" in shown

    page.get_by_role("searchbox").fill("window hacked")
    assert rows.count() == 1 and "1 of 6 examples shown" in page.inner_text(".told")
    page.get_by_role("searchbox").fill("")
    heading = page.get_by_role("columnheader", name="text")
    heading.get_by_role("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    column = [row.split("\t")[2].strip() for row in rows.all_inner_texts()]
    assert column == page.evaluate("texts => texts.sort((one, other) => one.localeCompare(other))", column)
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save as CSV").click()
    saved = list(csv.reader(Path(saving.value.path()).read_text("utf-8-sig").splitlines()))
    assert len(saved) == 1 + len(HOSTILE) and "'=1+cmd|' /C calc'!A0" in [row[2] for row in saved]
    assert page.heard[1:] == [] or all(url.startswith("blob:") for url in page.heard[1:])  # type: ignore[attr-defined]
    page.close()
    assert "<script>" not in render_card(report, source).replace("\\<script\\>", "")


def test_what_stands_in_the_json_gives_the_figures_of_the_page(tmp_path: Path) -> None:
    predictions = [prediction(f"text {n}", ["pos", "neg"][n % 2], (n * 37 % 100) / 100, before=0.9) for n in range(100)]
    report, source = report_of(tmp_path, predictions, pushed_version="7")
    again = Report.model_validate_json(report.model_dump_json())
    assert again == report
    right, answers = [one.right for one in again.examples], [one.answer for one in again.examples]
    assert again.metrics["accuracy"] == accuracy_score(right, answers)
    blocks = {block.title: block for section in again.sections for block in section.blocks if block.kind != "paragraph"}
    matrix = blocks["Confusion matrix: which class was taken for which"]
    assert matrix.counts == confusion_matrix(right, answers, labels=matrix.rows).tolist()
    table = blocks["Metrics over all 100 examples of the split eval"]
    [row] = [row for row in table.rows if row[0] == "accuracy"]
    before = accuracy_score(right, [one.previous for one in again.examples])
    assert row[1] == again.metrics["accuracy"] and row[5] == pytest.approx(row[1] - before)
    told = words_of(report, "verdict")
    assert "Pushed: the model is served as version 7." in told and "no more than chance may bring" in told
    ranked = blocks["Worst, best and random examples"].groups["worst"]
    worst = again.examples[ranked[0]]
    assert worst.right != worst.answer and max(worst.outputs["scores"]) == pytest.approx(0.99, abs=0.02)
    card = render_card(report, source)
    assert (
        "To sort reviews." in card and "`card.owner` of the configuration is empty" in card and "| accuracy |" in card
    )


def test_what_an_answer_was_too_long_to_keep_of_is_left_out(tmp_path: Path) -> None:
    whole = [prediction(f"text {n}", ["pos", "neg"][n % 2], 0.8) for n in range(12)]
    short = [one.model_copy(update={"outputs": {"label": one.outputs["label"]}}) for one in whole]
    report, source = report_of(tmp_path, short)
    assert source.evaluated is not None
    assert "accuracy" in source.evaluated.overall and "auc" not in source.evaluated.overall
    assert {example.value for example in report.examples} == {0.0, 1.0}


def test_one_example_of_one_class_is_a_page(tmp_path: Path, browser: Browser) -> None:
    report, _ = report_of(tmp_path, [prediction("x", "pos", 0.9)])
    looks_well(browser, page_of(tmp_path, report))
    assert len(report.examples) == 1


def test_a_run_that_failed_early_is_a_page_that_says_why(tmp_path: Path, browser: Browser) -> None:
    report, _ = report_of(tmp_path, [], failure="films.tsv:3: no label", state="failed in ExampleGen", artifacts={})
    looks_well(browser, page_of(tmp_path, report))
    assert words_of(report, "verdict") == "Not pushed: the run failed in stage ExampleGen: films.tsv:3: no label"
    assert [section.name for section in report.sections] == ["verdict", "provenance"]


def test_what_changed_between_runs_is_told_with_a_test(tmp_path: Path, browser: Browser) -> None:
    sources = []
    for run_id, mistakes in (("old", 40), ("new", 8)):
        (tmp_path / run_id).mkdir()
        predictions = [prediction(f"text {n}", "pos", 0.2 if n < mistakes else 0.8) for n in range(100)]
        # One that the other run has not evaluated.
        predictions.append(prediction(f"only {run_id}", "neg", 0.1))
        sources.append(report_of(tmp_path / run_id, predictions, run_id=run_id)[1])
    report = make_comparison(sources)
    looks_well(browser, page_of(tmp_path, report))
    told = words_of(report, "metrics")
    assert "accuracy of run new is 0.32 higher than that of run old over the 100 examples" in told
    assert "32 examples are right in run new alone, 0 in run old alone: p = 0.000 by McNemar's exact test." in told
    assert words_of(report, "answers").endswith("other than those of run old: 0 worse, 32 better, 0 as good.")
    assert [(one.answer, one.previous) for one in report.examples] == [("pos", "neg")] * 32
    assert words_of(report, "settings") == "All settings are the same."


def test_recordings_of_one_label_are_told_apart(tmp_path: Path) -> None:
    evaluated = []
    for run_id, scores in (("old", {"a": 0.9, "b": 0.2}), ("new", {"b": 0.3, "a": 0.8, "c": 0.7})):
        (tmp_path / run_id).mkdir()
        heard = [
            prediction("", "pos", sure).model_copy(update={"features": {"label": "pos"}, "digest": digest})
            for digest, sure in scores.items()
        ]
        evaluated.append(report_of(tmp_path / run_id, heard, run_id=run_id)[1].evaluated)
    assert len(Pairing(*evaluated)) == 2 and Pairing(*evaluated).mcnemar() == (0, 0, 1.0)


def test_a_stage_that_was_launched_again_is_no_failure_of_the_run(tmp_path: Path) -> None:
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(tmp_path / "metadata.sqlite")
    connection.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    store = ml_metadata.MetadataStore(connection)
    kind = store.put_context_type(metadata_store_pb2.ContextType(name=RUN_CONTEXT))
    stage = store.put_execution_type(metadata_store_pb2.ExecutionType(name="Load"))
    context = metadata_store_pb2.Context(type_id=kind, name="1")
    for state in ("FAILED", "COMPLETE"):
        execution = metadata_store_pb2.Execution(type_id=stage, last_known_state=state)
        execution.custom_properties["__execution_result__"].string_value = '{"resultMessage": "no disk"}'
        store.put_execution(execution, [], [context], reuse_context_if_already_exist=True)
    config = CONFIG.model_copy(update={"output_dir": str(tmp_path)})
    with contextlib.ExitStack() as scratch:
        source = open_source(config, "", scratch)
    assert (source.lineage.failure, source.failure) == ("no disk", "")


def test_a_report_that_cannot_be_written_leaves_no_half_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(ReportError, match="Reports are written to"):
        write_files(tmp_path, {"report.html": "text"})
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_what_is_no_number_is_not_drawn() -> None:
    chart = Curves(title="loss", x_label="step", lines=[Line(name="loss", x=[1, 2, 3], y=[math.nan, math.inf, 0.5])])
    assert chart.lines[0].y == [None, None, 0.5] and "nan" not in curves_svg(chart)
