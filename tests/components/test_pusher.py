import itertools
import os
import shutil
from pathlib import Path

import pytest
from tfx.types.standard_artifacts import PushedModel

from components import pusher
from components.pusher import already_pushed, is_push_current, next_version, push


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "model" / "variables").mkdir(parents=True)
    (tmp_path / "model" / "saved_model.pb").write_bytes(b"graph")
    (tmp_path / "model" / "variables" / "variables.index").write_bytes(b"weights")
    return tmp_path / "model"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "serving" / "tiny"


def versions(base: Path) -> list[str]:
    """What a server sees."""
    return sorted(path.name for path in base.iterdir() if path.name.isdecimal())


def test_push_copies_the_whole_model_under_the_time(model: Path, base: Path):
    pushed = push(model, base, clock=lambda: 1000.9)
    assert pushed == base / "1000"
    assert {str(p.relative_to(pushed)): p.read_bytes() for p in pushed.rglob("*") if p.is_file()} == {
        "saved_model.pb": b"graph",
        "variables/variables.index": b"weights",
    }
    (model / "saved_model.pb").write_bytes(b"later")
    assert (pushed / "saved_model.pb").read_bytes() == b"graph"


def test_versions_rise_even_when_the_clock_does_not(model: Path, base: Path):
    clock = itertools.chain([2000, 2000, 1500], itertools.repeat(1)).__next__
    for _ in range(3):
        push(model, base, clock)
    assert versions(base) == ["2000", "2001", "2002"]
    shutil.rmtree(base / "2002")
    assert push(model, base, clock).name == "2003", "the number of a deleted version is not used again"
    (base / ".last_version").unlink()
    (base / "0005000").mkdir()
    (base / "notes").mkdir()
    assert next_version(base, clock) == 5001


@pytest.mark.parametrize("step", ["_write_to_disk", "_remember_version", "os.rename"])
def test_an_interrupted_push_is_never_seen_and_is_cleared_away(
    step: str, model: Path, base: Path, monkeypatch: pytest.MonkeyPatch
):
    push(model, base, clock=lambda: 1000)

    def fail(*_: object) -> None:
        assert versions(base) == ["1000"], "a server must not see the model before it is complete"
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os if step == "os.rename" else pusher, step.removeprefix("os."), fail)
        with pytest.raises(KeyboardInterrupt):
            push(model, base, clock=lambda: 3000)
    assert versions(base) == ["1000"]
    assert list(base.glob(".incoming-*"))

    pushed = push(model, base, clock=lambda: 3000)
    assert not list(base.glob(".incoming-*"))
    assert versions(base) == ["1000", pushed.name] and int(pushed.name) >= 3000


def test_links_in_the_model_are_followed(model: Path, base: Path):
    (model / "assets").mkdir()
    (model / "assets" / "vocabulary.txt").symlink_to(model / "saved_model.pb")
    pushed = push(model, base)
    assert not (pushed / "assets" / "vocabulary.txt").is_symlink()


def test_only_the_newest_version_counts_as_already_pushed(model: Path, base: Path):
    assert already_pushed(model, base) is None
    first = push(model, base, clock=lambda: 999)
    assert already_pushed(model, base) == first

    changed = model / "variables" / "variables.index"
    times = changed.stat()
    changed.write_bytes(b"WEIGHTS")
    os.utime(changed, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert already_pushed(model, base) is None, "same names, sizes and times, other content"
    assert already_pushed(first, base) == first
    second = push(model, base, clock=lambda: 1000)
    assert already_pushed(model, base) == second
    assert already_pushed(first, base) is None, "going back to an earlier model is a new version"
    (model / "assets.txt").write_bytes(b"")
    assert already_pushed(model, base) is None


def pushed(version: Path | None) -> dict[str, list]:
    artifact = PushedModel()
    artifact.set_int_custom_property("pushed", int(version is not None))
    if version is not None:
        artifact.set_string_custom_property("pushed_destination", str(version))
    return {"pushed_model": [artifact]}


def test_a_cached_push_holds_only_while_its_version_is_the_newest(tmp_path: Path) -> None:
    (tmp_path / "9").mkdir()
    assert is_push_current(pushed(tmp_path / "9"))
    (tmp_path / ".incoming-11").mkdir()
    assert is_push_current(pushed(tmp_path / "9"))
    (tmp_path / "10").mkdir()
    assert not is_push_current(pushed(tmp_path / "9"))
    assert is_push_current(pushed(tmp_path / "10"))


def test_a_cached_push_whose_folder_is_gone_does_not_hold(tmp_path: Path) -> None:
    assert not is_push_current(pushed(tmp_path / "9"))


def test_a_model_that_was_not_pushed_stays_so() -> None:
    assert is_push_current(pushed(None))
