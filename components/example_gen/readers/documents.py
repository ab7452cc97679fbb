"""Documents of sentences: a sentence a line, a blank line behind each document."""

from collections.abc import Iterator

from components.example_gen.context import ReadContext
from components.example_gen.passing_over import is_blank
from components.example_gen.readers.lines import facts_of
from components.example_gen.records import BadRecord, InputFile, Record
from components.example_gen.text_files import read_lines


def read(file: InputFile, context: ReadContext) -> Iterator[Record | BadRecord]:
    """Yields the documents of a file, each of its lines joined, with what the file's name tells.

    A line that is no text is refused, and ends a document: what stands behind it does not follow what stands before.

    Raises:
        DataError: if the name does not tell what it should.
    """
    path = file.paths[0]
    text, values, split = facts_of(file, context)
    held: list[str] = []
    number = 0
    for line in read_lines(path, context.data.encoding, longest=context.data.longest_record):
        ends = bool(line.problem) or is_blank([line.text])
        if ends and held:
            yield Record({text: "\n".join(held), **values}, path, number - len(held), split=split)
            held = []
        if line.problem:
            yield BadRecord(path, line.number, line.problem)
        elif not ends:
            held.append(line.text)
        number = line.number + 1
    if held:
        yield Record({text: "\n".join(held), **values}, path, number - len(held), split=split)
