"""Plain text whose line breaks are part of it: a file is a document, which stands in passages, byte for byte."""

from collections.abc import Iterator

from components.example_gen.context import ReadContext
from components.example_gen.readers.lines import facts_of
from components.example_gen.records import BadRecord, InputFile, Record
from components.example_gen.text_files import read_lines


def read(file: InputFile, context: ReadContext) -> Iterator[Record | BadRecord]:
    """Yields the passages of a file, all with the labels and the split that the file's name tells.

    Put together they are the file, but for lines that are no text: those are refused, and what stands behind them
    begins a document of its own. Each passage notes the `context` before it, and whether it `continues`: "yes", or ""
    for the last of a document.

    Raises:
        DataError: if the name does not tell what it should.
    """
    text, values, split = facts_of(file, context)
    path = file.paths[0]
    for item in _passages(path, context):
        if isinstance(item, BadRecord):
            yield item
        else:
            passage, line, notes = item
            yield Record({text: passage, **values}, path, line, split=split, notes=notes)


def _passages(path: str, context: ReadContext) -> Iterator[BadRecord | tuple[str, int, dict[str, str]]]:
    """Refused lines, and passages with their first line and their notes."""
    held, number, before = "", 1, ""

    def noted(passage: str, continues: bool) -> tuple[str, int, dict[str, str]]:
        nonlocal number, before
        item = (passage, number, {"context": before, "continues": "yes" if continues else ""})
        number += passage.count("\n")
        reach = context.data.context_length
        before = (before + passage)[-reach:] if reach else ""
        return item

    for line in read_lines(path, context.data.encoding, keep_ends=True, longest=context.data.longest_record):
        if line.problem:
            if held:
                yield noted(held, False)
            yield BadRecord(path, line.number, line.problem)
            held, number, before = "", line.number + 1, ""
            continue
        held += line.text
        start = 0
        while len(held) - start > context.data.passage_length:
            end = _end(held, start, context.data.passage_length)
            yield noted(held[start:end], True)
            start = end
        held = held[start:]
    if held:
        yield noted(held, False)


def _end(text: str, start: int, length: int) -> int:
    """Where a passage that begins at `start` ends: behind a line break, or a blank, or where it is full."""
    most = start + length
    return text.rfind("\n", start, most) + 1 or text.rfind(" ", start, most) + 1 or most
