"""Cron lines, right and wrong; each answer is what Airflow's own reader gives."""

import pytest

from pipeline.deploy.cron import mistake_in


@pytest.mark.parametrize(
    "line",
    [
        "30 2 * * 1-5",
        "*/15 0-6,22 * JAN-MAR 1#2",
        "0 0 1,L * ?",
        "59 23 31 12 7",
        "5/10 22-2 ? jan/2 sun-tue",
        "0 0 * * L5,fri#2",
        "07 1 * * *",
    ],
)
def test_a_line_is_right(line: str) -> None:
    assert not mistake_in(line)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("* * * *", "has 4 fields"),
        ("* * * * * *", "has 6 fields"),
        ("60 0 * * *", '"60" for the minute, which goes from 0 to 59'),
        ("0 24 * * *", '"24" for the hour, which goes from 0 to 23'),
        ("0 0 0 * *", '"0" for the day, which goes from 1 to 31'),
        ("0 0 * 13 *", '"13" for the month, which goes from 1 to 12 or jan to dec'),
        ("0 0 * * 8", '"8" for the weekday, which goes from 0 to 7 or sun to sat'),
        ("0-70 * * * *", '"0-70" for the minute'),
        ("*/0 * * * *", '"*/0" for the minute'),
        ("0 0 * * monday", '"monday"'),
        ("0 0 * foo *", '"foo"'),
        ("0 0 * * 1,,2", '"1,,2"'),
        ("0 0 * * 1#6", '"1#6"'),
        ("0 0 * * 1#2,3", '"1#2,3"'),
        ("? 0 * * *", '"?" for the minute'),
        ("0 0 ?,2 * *", '"?,2" for the day'),
        ("0 0 * * L", '"L" for the weekday'),
    ],
)
def test_a_line_is_wrong(line: str, told: str) -> None:
    assert told in mistake_in(line)
