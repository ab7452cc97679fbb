import os

import pytest

from models.old_states import note_origin, remove_old_states

NOW = {"task": "text_to_text", "architecture": "seq2seq", "code_hash": "new"}


@pytest.fixture
def state(tmp_path):
    """Makes the folder of a state; the later it is made, the newer it is."""
    made = []

    def make(name, **origin):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "state.npz").write_bytes(b"x")
        if origin:
            note_origin(folder, origin)
        made.append(folder)
        os.utime(folder, (len(made), len(made)))
        return folder

    return make


def left(tmp_path):
    return sorted(folder.name for folder in tmp_path.iterdir())


def test_what_can_never_be_resumed_goes(tmp_path, state):
    state("of other code", **{**NOW, "code_hash": "old"})
    state("of a version before")
    state("of another architecture", **{**NOW, "architecture": "recurrent", "code_hash": "its own"})
    state("of other settings", **NOW)
    (state("never saved", **NOW) / "state.npz").unlink()
    current = state("current", **NOW)
    removed = remove_old_states(current, NOW)
    assert sorted(folder.name for folder in removed) == ["never saved", "of a version before", "of other code"]
    assert left(tmp_path) == ["current", "of another architecture", "of other settings"]


def test_of_those_that_may_come_back_the_newest_stay_and_the_current_one_always(tmp_path, state):
    current = state("current", **NOW)
    for number in range(5):
        state(f"other {number}", **NOW)
    remove_old_states(current, NOW)
    assert left(tmp_path) == ["current", "other 2", "other 3", "other 4"]
