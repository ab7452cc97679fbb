"""Vectors of words as files that other programs read: word2vec's two forms and TensorBoard's projector.

N: words, E: width of a vector. Both forms of word2vec (Mikolov's program, read by gensim and many others) begin with a
line "N E". In the text form a line has a word and its numbers, by spaces. In the binary form a word, a space, its
numbers as little-endian float32, and a line end follow each other.
"""

import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

from models.errors import SeqlineError

_PROJECTOR = """\
embeddings {
  tensor_name: "word_vectors"
  tensor_path: "vectors.tsv"
  metadata_path: "metadata.tsv"
}
"""
_LONGEST_HEADER = 64
_BLOCK = 1 << 20


def write_text(words: Sequence[str], vectors: np.ndarray, file: pathlib.Path) -> None:
    """Writes word2vec's text form: words without white space, vectors float (N, E)."""
    with file.open("w", encoding="utf-8") as stream:
        stream.write(f"{len(words)} {vectors.shape[1]}\n")
        # Nine digits tell each float32 from all others.
        stream.writelines(
            f"{word} {' '.join(f'{number:.9g}' for number in row)}\n"
            for word, row in zip(words, vectors.astype(np.float32), strict=True)
        )


def write_binary(words: Sequence[str], vectors: np.ndarray, file: pathlib.Path) -> None:
    """Writes word2vec's binary form; arguments as of `write_text`."""
    with file.open("wb") as stream:
        stream.write(f"{len(words)} {vectors.shape[1]}\n".encode())
        for word, row in zip(words, vectors.astype("<f4"), strict=True):
            stream.write(word.encode() + b" " + row.tobytes() + b"\n")


def write_projector(words: Sequence[str], vectors: np.ndarray, folder: pathlib.Path) -> list[pathlib.Path]:
    """Writes what `tensorboard --logdir FOLDER` shows under Projector: vectors, words, and where both stand."""
    # One column has no heading, by the projector's rules.
    contents = {
        "vectors.tsv": "".join("\t".join(f"{number:.6g}" for number in row) + "\n" for row in vectors),
        "metadata.tsv": "".join(f"{word}\n" for word in words),
        "projector_config.pbtxt": _PROJECTOR,
    }
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8")
    return [folder / name for name in contents]


def read_size(file: pathlib.Path) -> tuple[int, int]:
    """How many words there are and how wide their vectors, from the first line of either form.

    Raises:
        SeqlineError: the file cannot be read, or begins otherwise.
    """
    try:
        with file.open("rb") as stream:
            first = stream.readline(_LONGEST_HEADER)
        number, width = map(int, first.split())
    except (OSError, ValueError) as error:
        reason = "its first line does not hold two numbers" if isinstance(error, ValueError) else error
        raise _unreadable(file, reason) from error
    if number < 1 or width < 1:
        raise _unreadable(file, f"its first line says {number} words of width {width}")
    return number, width


def read_vectors(file: pathlib.Path) -> Iterator[tuple[str, np.ndarray]]:
    """Words with their vectors, float32 (E,), of either form, one by one: such files can be larger than the memory.

    Raises:
        SeqlineError: the file is of neither form, or ends too early.
    """
    number, width = read_size(file)
    is_text = _is_text(file, width)
    read = 0
    try:
        for pair in _read_text(file, width) if is_text else _read_binary(file, number, width):
            read += 1
            yield pair
    except (OSError, ValueError) as error:
        raise _unreadable(file, f"word {read + 1} has no {width} numbers") from error
    if read != number:
        raise _unreadable(file, f"it holds {read} words, not {number}")


def check_width(width: int, embedding_dim: int, source: str) -> None:
    """Raises SeqlineError where vectors are not as wide as those of the model."""
    if width != embedding_dim:
        raise SeqlineError(
            "model.embedding_dim must be the width of the vectors of model.embeddings.from. Received: "
            f"{embedding_dim}, and {source} with vectors of width {width}. Set model.embedding_dim={width}."
        )


def _is_text(file: pathlib.Path, width: int) -> bool:
    """Whether the second line is a word and as many numbers."""
    with file.open("rb") as stream:
        stream.readline()
        # A number takes 32 characters at most.
        line = stream.readline(_BLOCK + 32 * width)
    try:
        return len([float(number) for number in line.split()[-width:]]) == width
    except ValueError:
        return False


def _read_text(file: pathlib.Path, width: int) -> Iterator[tuple[str, np.ndarray]]:
    with file.open("rb") as stream:
        stream.readline()
        for line in filter(bytes.strip, stream):
            # From the right: some programs write words with spaces in them.
            word, *numbers = line.rstrip().rsplit(b" ", width)
            if len(numbers) != width:
                raise ValueError(line)
            yield word.decode("utf-8", "replace"), np.array(numbers, np.float32)


def _read_binary(file: pathlib.Path, number: int, width: int) -> Iterator[tuple[str, np.ndarray]]:
    with file.open("rb") as stream:
        stream.readline()
        for _ in range(number):
            letters = bytearray()
            while (letter := stream.read(1)) != b" ":
                if not letter:
                    raise ValueError("the file ends within a word")
                letters += letter
            values = stream.read(4 * width)
            if len(values) < 4 * width:
                raise ValueError("the file ends within a vector")
            # Some programs write a line end behind each vector, some do not.
            yield letters.lstrip(b"\n").decode("utf-8", "replace"), np.frombuffer(values, "<f4")


def _unreadable(file: pathlib.Path, reason: object) -> SeqlineError:
    return SeqlineError(
        "A file of word vectors must be of word2vec's text or binary form: a line with the number of words and the "
        f"width of a vector, then each word with its numbers. Received: {file}: {reason}. Write it anew, or name "
        "another one."
    )
