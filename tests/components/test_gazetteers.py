"""Lists of names from files."""

import gzip
import json

import pytest

from components.errors import DataError
from components.gazetteers import gazetteers_json, read_gazetteers
from models.tokenizers.settings import TokenizerSettings

SETTINGS = TokenizerSettings(lowercase=True)


def test_a_name_stands_on_each_line(tmp_path):
    (tmp_path / "a.txt").write_text("\ufeffAnn Lee\r\n\r\n  BO \r\nann  lee\r\n", encoding="utf-8")
    (tmp_path / "b.gz").write_bytes(gzip.compress("Zürich\n".encode()))
    given = gazetteers_json({"person": str(tmp_path / "a.txt"), "place": str(tmp_path / "b.gz")})
    assert read_gazetteers(given, SETTINGS) == {"person": ["ann lee", "bo"], "place": ["zürich"]}


def test_the_cache_notices_other_names(tmp_path):
    digests = set()
    for text in ("Ann\n", "Bo\n"):
        (tmp_path / "a.txt").write_text(text)
        digests.add(json.loads(gazetteers_json({"person": str(tmp_path / "a.txt")}))["digest"])
    assert len(digests) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.txt: the file is empty"),
        (b"\n \n", "labeling.gazetteers.person must be a file with a name of a few words on each line. Received: "),
        (b"a b c d e f g\n", "which has none"),
        (b"Ann\nB\xff\n", "a.txt:2: "),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a.txt: "),
    ],
)
def test_what_is_no_list_of_names_is_refused(tmp_path, content, message):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_gazetteers(gazetteers_json({"person": str(tmp_path / "a.txt")}), SETTINGS)
    assert message in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match="none.txt"):
        gazetteers_json({"person": str(tmp_path / "none.txt")})
