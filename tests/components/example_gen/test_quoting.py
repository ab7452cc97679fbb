"""Quoted rows: none swallows others unseen, and none is made of the inside of another."""

import pytest

from components.example_gen.records import BadRecord
from tests.components.example_gen.files import TRANSLATION, read, write


def rows(start, end):
    return [f"text {number},{'pos' if number % 2 else 'neg'}" for number in range(start, end)]


def lost(records):
    return [(record.line, record.lines, record.reason) for record in records if isinstance(record, BadRecord)]


def kept(records):
    return [record.line for record in records if not isinstance(record, BadRecord)]


@pytest.mark.parametrize(
    ("lines", "expected", "good"),
    [
        # A stray quote that is never closed.
        ([*rows(0, 50), '"open,pos', *rows(0, 49)], (52, 50, "it swallowed lines 53-101"), range(2, 52)),
        (['"open,pos', *rows(0, 30)], (2, 31, "it swallowed lines 3-32"), []),
        # One that another closes far behind, so that the row seems whole.
        (
            [*rows(0, 3), '"open,pos', *rows(0, 20), 'close",neg', *rows(0, 2)],
            (5, 22, "look like rows"),
            [2, 3, 4, 27, 28],
        ),
        ([*rows(0, 3), '"open,pos', 'close",neg', *rows(0, 2)], (5, 2, "look like rows"), [2, 3, 4, 7, 8]),
        (['"open,pos', *rows(0, 40), 'close",neg', *rows(0, 2)], (2, 42, "look like rows"), [44, 45]),
        # A mistake within a cell of several lines.
        (
            [*rows(0, 3), '"He said "no', 'fine",pos', *rows(0, 2)],
            (5, 2, "it swallowed line 6"),
            [2, 3, 4, 7, 8],
        ),
        (
            [*rows(0, 3), '"He said "no" to', 'it quickly",pos', *rows(0, 2)],
            (5, 2, "it swallowed line 6"),
            [2, 3, 4, 7, 8],
        ),
        ([*rows(0, 3), '"a "b" c', "and so on", 'to the end",pos', *rows(0, 2)], (5, 3, "lines 6-7"), [2, 3, 4, 8, 9]),
        # Quotes that do not come out even: the next row beyond doubt is read.
        ([*rows(0, 3), '"a" b" c,pos', *rows(0, 2)], (5, 1, "expected after"), [2, 3, 4, 6, 7]),
    ],
)
def test_a_row_that_swallows_others_is_refused_with_all_its_lines(tmp_path, lines, expected, good):
    records = read(path=write(tmp_path / "a.csv", "\n".join(["text,label", *lines]) + "\n"))
    first = lost(records)[0]
    assert first[:2] == expected[:2] and expected[2] in first[2]
    assert (kept(records), len(lost(records))) == (list(good), 1)
    assert not [record for record in records if not isinstance(record, BadRecord) and "\n" in record.values["text"]]
    assert {record.values["label"] for record in records if not isinstance(record, BadRecord)} <= {"pos", "neg"}


@pytest.mark.parametrize(
    "cell",
    [
        "x" * 300_000,
        "a line, with commas\n" * 6000,
        "roses are red,\nviolets are blue,\nsugar is sweet,\nand so are you",
        'he said ""no"",\nand left',
        "\n\n\n",
    ],
)
def test_a_long_cell_is_one_record(tmp_path, cell):
    lines = ["text,label", *rows(0, 2), f'"{cell}",pos', *rows(0, 2)]
    records = read(path=write(tmp_path / "a.csv", "\n".join(lines) + "\n"))
    if cell.strip():
        assert len(kept(records)) == 5 and lost(records) == []
    else:
        assert lost(records) == [(4, 1, '"text" is empty')]


def test_a_cell_over_the_bound_is_refused_whole(tmp_path):
    lines = ["text,label", "a,pos", '"' + "inside, neg\n" * 200_000 + 'end",pos', "b,neg"]
    records = read(path=write(tmp_path / "a.csv", "\n".join(lines) + "\n"), max_record_megabytes=1)
    assert [record.values["text"] for record in records if not isinstance(record, BadRecord)] == ["a", "b"]
    [(line, count, reason)] = lost(records)
    assert (line, count) == (3, 200_001)
    assert reason == "longer than data.max_record_megabytes; it swallowed lines 4-200003"


def test_without_labels_only_many_lines_are_taken_for_rows(tmp_path):
    poem = ",\n".join(["some words here"] * 5)
    songs = "\n".join(f"line {number}, of a table" for number in range(40))
    content = f'source,target\na,b\n"{poem}",poem\n"{songs}",songs\nc,d\n'
    records = read(TRANSLATION, path=write(tmp_path / "a.csv", content))
    assert [record.values["target"] for record in records if not isinstance(record, BadRecord)] == ["b", "poem", "d"]
    assert [(line, lines) for line, lines, _ in lost(records)] == [(8, 40)]


def test_a_bad_row_over_several_lines_counts_once_where_it_is_whole(tmp_path):
    records = read(path=write(tmp_path / "a.csv", 'text,label\n"one\ntwo\nthree",\na,pos\n"x\ny",pos,more\n'))
    assert lost(records) == [(2, 1, '"label" is empty'), (6, 2, '3 fields where the header has 2 ("text", "label")')]
