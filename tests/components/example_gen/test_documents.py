"""Documents of sentences, and what an example borrows from another one."""

import tensorflow as tf

from components.example_gen.borrowing import borrow
from components.example_gen.context import ReadContext
from components.example_gen.reading import read_file
from components.example_gen.records import BadRecord, InputFile, Record
from components.example_gen.settings import DataSettings
from models.features import Feature
from models.registry import TASKS
from serving.wire.values import to_example

FEATURES = TASKS["masked_language_modeling"].features


def read(content: bytes, tmp_path) -> list:
    path = tmp_path / "talks.txt"
    path.write_bytes(content)
    context = ReadContext.of(FEATURES, DataSettings(path=str(path), format="documents"))
    return list(read_file(InputFile("documents", (str(path),)), context))


def test_blank_lines_stand_between_documents(tmp_path):
    found = read("\n\nOne.\nTwo, 둘.\n \n\nThree.\n".encode(), tmp_path)
    assert all(isinstance(record, Record) for record in found)
    assert [(record.values["text"], record.line) for record in found] == [("One.\nTwo, 둘.", 3), ("Three.", 7)]


def test_a_line_that_is_no_text_ends_a_document(tmp_path):
    first, bad, last = read(b"One.\n\xff\nTwo.\n", tmp_path)
    assert isinstance(bad, BadRecord) and bad.line == 2
    assert [first.values["text"], last.values["text"], last.line] == ["One.", "Two.", 3]


def texts(serialized: list[bytes], name: str) -> list[str]:
    features = (tf.train.Example.FromString(one).features.feature for one in serialized)
    return [feature[name].bytes_list.value[0].decode() for feature in features]


def test_an_example_borrows_from_the_one_farthest_away():
    examples = [to_example({"text": text, "elsewhere": ""}).SerializeToString() for text in "abcde"]
    borrowed = borrow(examples, FEATURES)
    assert texts(borrowed, "text") == list("abcde")
    assert texts(borrowed, "elsewhere") == list("cdeab")
    assert texts(borrow(examples[:1], FEATURES), "elsewhere") == [""]
    assert borrow(examples, (Feature("text", "text"),)) == examples
