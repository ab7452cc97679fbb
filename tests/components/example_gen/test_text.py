"""Whole texts in passages."""

import pytest

from components.errors import DataError
from components.example_gen.records import BadRecord
from tests.components.example_gen.files import CLASSIFICATION, PLAIN, read, write

PLAY = "First  Citizen:\r\nSpeak.\n\n\n\tAll:\nSpeak, speak\u2028 on and on and on and on\n\n"


def passages(tmp_path, content: str | bytes, **more) -> list:
    return read(PLAIN, path=write(tmp_path / "play.txt", content), format="text", **more)


@pytest.mark.parametrize("length", [1, 2, 7, 12, 30, 2000])
def test_passages_put_together_are_the_file(tmp_path, length):
    found = passages(tmp_path, PLAY, passage_length=length)
    texts = [record.values["text"] for record in found]
    assert "".join(texts) == PLAY
    assert max(map(len, texts)) <= length
    lines = [1 + "".join(texts[:number]).count("\n") for number in range(len(texts))]
    assert [record.line for record in found] == lines


def test_a_passage_ends_with_a_line_or_else_behind_a_blank_or_where_it_is_full(tmp_path):
    found = passages(tmp_path, "ab\ncd ef\nghi jklmnopqr", passage_length=6)
    assert [record.values["text"] for record in found] == ["ab\n", "cd ef\n", "ghi ", "jklmno", "pqr"]


def test_a_passage_knows_what_stands_before_it_and_whether_anything_follows(tmp_path):
    found = passages(tmp_path, "ab\ncd\nef\n", passage_length=3, context_length=4)
    assert [record.notes for record in found] == [
        {"context": "", "continues": "yes"},
        {"context": "ab\n", "continues": "yes"},
        {"context": "\ncd\n", "continues": ""},
    ]
    unknown = passages(tmp_path, "ab\ncd\n", passage_length=3, context_length=0)
    assert [record.notes["context"] for record in unknown] == ["", ""]


def test_a_line_that_is_no_text_ends_a_document(tmp_path):
    first, bad, second = passages(tmp_path, b"ab\ncd\n\xff\nef\ngh")
    assert isinstance(bad, BadRecord) and bad.line == 3 and bad.reason == "not utf-8: byte 0xff at position 1"
    assert (first.values["text"], first.notes["continues"]) == ("ab\ncd\n", "")
    assert (second.values["text"], second.line, second.notes) == ("ef\ngh", 4, {"context": "", "continues": ""})


def test_a_line_may_be_long(tmp_path):
    """Of a text in one line each passage is cut off once; copying the rest each time would take minutes."""
    found = passages(tmp_path, "word " * 400_000, passage_length=100)
    assert len(found) == 20_000


def test_labels_come_by_name_as_for_lines(tmp_path):
    path = write(tmp_path / "pos.txt", "good\nfilm\n")
    [record] = read(CLASSIFICATION, path=path, format="text", label_pattern="(?P<label>neg|pos)")
    assert record.values == {"text": "good\nfilm\n", "label": "pos"}
    with pytest.raises(DataError, match="must find a label"):
        read(CLASSIFICATION, path=write(tmp_path / "x.txt", "a"), format="text", label_pattern="(?P<label>neg|pos)")
