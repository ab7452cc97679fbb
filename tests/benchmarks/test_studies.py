"""The study of recurrent gradients, with a few steps of it, and its charts."""

import math
import xml.etree.ElementTree

import numpy as np
import pytest

from benchmarks.studies import recurrent_gradients as study
from benchmarks.studies.charts import Axis, Line, line_chart

SVG = "{http://www.w3.org/2000/svg}"


def test_a_chart_is_an_svg_whose_lines_have_gaps_where_nothing_can_be_drawn() -> None:
    lines = [Line("a & b", [1, 2, 3, 4], [1.0, math.nan, 10.0, 100.0]), Line("c", [1, 4], [0.0, 10.0])]
    root = xml.etree.ElementTree.fromstring(line_chart("T < U", ("x", "y"), lines, (1.0, 100.0), log_y=True))
    first, second = [path.get("d") or "" for path in root.iter(f"{SVG}path") if path.get("fill") == "none"]
    # From 80 to 530 across, from 350 up to 40.
    assert first == "M80.0 350.0M380.0 195.0L530.0 40.0" and second == "M530.0 195.0"
    assert {"T < U", "a & b", "c"} <= {text.text for text in root.iter(f"{SVG}text")}


@pytest.mark.parametrize(
    ("axis", "ticks"),
    [
        (Axis(0, 1, 0, 1), [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (Axis(1, 200, 0, 1), [1, 51, 101, 151]),
        (Axis(1e-20, 1e10, 0, 1, logarithmic=True), [1e-20, 1e-15, 1e-10, 1e-5, 1, 1e5, 1e10]),
    ],
)
def test_an_axis_has_about_six_ticks(axis: Axis, ticks: list[float]) -> None:
    assert axis.ticks() == pytest.approx(ticks)


def test_the_study_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"STEPS": 6, "TRAINING_STEPS": 3, "HIDDEN": 4, "BATCH": 2}.items():
        monkeypatch.setattr(study, name, value)
    norms = study.flow()
    assert norms.keys() == {start.name for start in study.STARTS} and {len(one) for one in norms.values()} == {6}
    for run in (study.RUNS[0], study.RUNS[3]):
        figures = study.recall(*run)
        assert np.isfinite(figures["loss"]).all() and len(figures["gradient_norm"]) == 3
    result = {"flow": norms, "recall": {"a": figures}, "copy": {"none": dict.fromkeys(study.LENGTHS, 0.5)}}
    assert study.charts(result).keys() == {"gradient_by_step", "gradient_in_training", "loss_in_training", "copy"}
