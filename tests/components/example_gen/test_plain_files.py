import os
import re

import pytest

from components.errors import DataError
from components.example_gen.plain_files import check_no_loop
from components.example_gen.text_files import find_below, find_files, open_raw


@pytest.mark.parametrize("pattern", ["pipe.tsv", "*.tsv"])
def test_a_named_pipe_is_refused_at_once(tmp_path, pattern):
    os.mkfifo(tmp_path / "pipe.tsv")
    with pytest.raises(DataError, match='"data.train": .*pipe.tsv is a named pipe; .* Give a regular file'):
        find_files(str(tmp_path / pattern), "data.train")
    with pytest.raises(DataError, match="is a named pipe"), open_raw(str(tmp_path / "pipe.tsv")):
        pass


def test_a_device_is_refused():
    with pytest.raises(DataError, match="/dev/zero is a device"):
        find_files("/dev/zero", "data.train")


def test_a_link_to_itself_is_told_as_one(tmp_path):
    (tmp_path / "a.tsv").symlink_to(tmp_path / "a.tsv")
    with pytest.raises(DataError, match=r"a.tsv is a link that leads to itself: a loop"):
        find_files(str(tmp_path / "a.tsv"), "data.train")


@pytest.mark.parametrize(
    "find",
    [lambda path: find_below(path, "data.path", (".wav",)), lambda path: find_files(f"{path}/**/*.wav", "data.path")],
)
def test_links_in_a_circle_are_refused_at_once(tmp_path, find):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "a" / "b" / "x.wav").touch()
    (tmp_path / "a" / "b" / "out").symlink_to(tmp_path / "other")
    (tmp_path / "other" / "back").symlink_to(tmp_path / "a")
    message = f'"data.path": {tmp_path}/a/b/out/back is a link to {tmp_path}/a, which it stands in itself'
    with pytest.raises(DataError, match=re.escape(message)):
        find(str(tmp_path / "a"))


def test_links_that_lead_nowhere_twice_are_no_loop(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same").symlink_to(tmp_path / "shared")
    (tmp_path / "shared").mkdir()
    check_no_loop(str(tmp_path), "data.path")
