"""A format that exists in tests only: `token/tag` pairs, a sentence a line, with a weight for each token."""

from collections.abc import Iterator

import numpy as np

from components.example_gen.context import ReadContext
from components.example_gen.records import BadRecord, InputFile, Record
from components.example_gen.text_files import read_lines


def read(file: InputFile, context: ReadContext) -> Iterator[Record | BadRecord]:
    """Yields a line as tokens, their tags, and how long each token is."""
    path = file.paths[0]
    for line in read_lines(path, context.data.encoding):
        pairs = [pair.partition("/")[::2] for pair in line.text.split()]
        if all(tag for _, tag in pairs):
            tokens, tags = zip(*pairs, strict=True)
            lengths = np.array([len(token) for token in tokens], np.float32)
            yield Record({"tokens": tokens, "tags": tags, "lengths": lengths}, path, line.number)
        else:
            yield BadRecord(path, line.number, "a token without a tag")
