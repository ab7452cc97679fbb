"""Files of vectors, read as their form is defined."""

import struct

import numpy as np
import pytest

from models.errors import SeqlineError
from models.words.files import check_width, read_size, read_vectors, write_binary, write_projector, write_text

WORDS = ["the", "안녕", "don't", ","]
VECTORS = np.array([[0.1, -2.5, 1e-8], [1, 2, 3], [0, 0, 0], [7.25, -0.3333333, 1e9]], np.float32)


def test_the_text_form_is_a_line_of_sizes_then_a_line_for_each_word(tmp_path):
    write_text(WORDS, VECTORS, tmp_path / "v.txt")
    first, *lines = (tmp_path / "v.txt").read_text(encoding="utf-8").splitlines()
    assert first == "4 3"
    assert [line.split(" ")[0] for line in lines] == WORDS
    np.testing.assert_array_equal(np.array([line.split(" ")[1:] for line in lines], np.float32), VECTORS)


def test_the_binary_form_is_a_line_of_sizes_then_words_and_floats(tmp_path):
    write_binary(WORDS, VECTORS, tmp_path / "v.bin")
    content = (tmp_path / "v.bin").read_bytes()
    header, content = content.split(b"\n", 1)
    assert header == b"4 3"
    for word, vector in zip(WORDS, VECTORS, strict=True):
        name, content = content.split(b" ", 1)
        assert name.decode() == word
        assert struct.unpack("<3f", content[:12]) == tuple(vector.tolist())
        assert content[12:13] == b"\n"
        content = content[13:]
    assert content == b""


@pytest.mark.parametrize("write", [write_text, write_binary])
def test_what_was_written_is_read_again(tmp_path, write):
    write(WORDS, VECTORS, tmp_path / "v")
    assert read_size(tmp_path / "v") == (4, 3)
    words, vectors = zip(*read_vectors(tmp_path / "v"), strict=True)
    assert list(words) == WORDS
    np.testing.assert_array_equal(np.stack(vectors), VECTORS)


def test_a_binary_file_without_line_ends_and_a_word_with_a_space_are_read(tmp_path):
    (tmp_path / "v.bin").write_bytes(b"2 1\na " + struct.pack("<f", 1.5) + b"bc " + struct.pack("<f", 2.5))
    assert [(word, float(vector[0])) for word, vector in read_vectors(tmp_path / "v.bin")] == [("a", 1.5), ("bc", 2.5)]
    (tmp_path / "v.txt").write_text("1 2\nnew york 1 2\n")
    [(word, vector)] = read_vectors(tmp_path / "v.txt")
    assert word == "new york" and vector.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "two numbers"),
        (b"the 0.1 0.2\n", "two numbers"),
        (b"0 3\n", "0 words"),
        (b"2 2\na 1 2\nb 1\n", "word 2 has no 2 numbers"),
        (b"3 2\na 1 2\nb 1 2\n", "2 words, not 3"),
        (b"2 2\na " + b"\0" * 8 + b"\nb " + b"\0" * 5, "word 2 has no 2 numbers"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path, content, reason):
    (tmp_path / "v").write_bytes(content)
    with pytest.raises(SeqlineError, match=reason):
        list(read_vectors(tmp_path / "v"))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SeqlineError, match="No such file"):
        read_size(tmp_path / "v")


def test_another_width_is_refused_with_the_way_out():
    with pytest.raises(SeqlineError, match="embedding_dim=3"):
        check_width(3, 4, "v.txt")


def test_the_projector_finds_vectors_and_words(tmp_path):
    from google.protobuf import text_format
    from tensorboard.plugins.projector import projector_config_pb2

    files = write_projector(WORDS, VECTORS, tmp_path)
    assert all(file.exists() for file in files)
    config = text_format.Parse(
        (tmp_path / "projector_config.pbtxt").read_text(), projector_config_pb2.ProjectorConfig()
    )
    [embedding] = config.embeddings
    lines = (tmp_path / embedding.tensor_path).read_text().splitlines()
    np.testing.assert_allclose([[float(n) for n in line.split("\t")] for line in lines], VECTORS, rtol=1e-5)
    assert (tmp_path / embedding.metadata_path).read_text(encoding="utf-8").splitlines() == WORDS
