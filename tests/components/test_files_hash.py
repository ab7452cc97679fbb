import io
from pathlib import Path

from components.files_hash import hash_files, hash_folder


def test_names_and_contents_count_and_times_do_not(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_text("one")
    b.write_text("two")
    first = hash_files([("a", a), ("b", b)])
    assert len(first) == 64
    a.touch()
    assert hash_files([("a", a), ("b", b)]) == first
    assert hash_files([("c", a), ("b", b)]) != first
    a.write_text("On")
    assert hash_files([("a", a), ("b", b)]) != first


def test_files_do_not_run_together() -> None:
    def digest(*contents: bytes) -> str:
        return hash_files([("x", str(n)) for n in range(len(contents))], lambda path: io.BytesIO(contents[int(path)]))

    assert len({digest(b"ab", b"c"), digest(b"a", b"bc"), digest(b"abc"), digest(b"abc", b"")}) == 4


def test_a_folder_is_known_by_its_files_wherever_it_stands(tmp_path: Path) -> None:
    for root in ("here", "there"):
        (tmp_path / root / "variables").mkdir(parents=True)
        (tmp_path / root / "variables" / "index").write_bytes(b"weights")
    assert hash_folder(tmp_path / "here") == hash_folder(tmp_path / "there")
    (tmp_path / "there" / "variables" / "index").write_bytes(b"other weights")
    assert hash_folder(tmp_path / "here") != hash_folder(tmp_path / "there")
