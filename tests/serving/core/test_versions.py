from serving.core.versions import Everything, Latest, Specific, find_versions, folder_fingerprint


def make(base, *names, complete=True):
    for name in names:
        (base / name).mkdir()
        if complete:
            (base / name / "saved_model.pb").touch()


def test_only_whole_numbers_are_versions(tmp_path):
    make(tmp_path, "1", "0042", "1.tmp", ".done", "latest", "7b", "staging-3", "1700000000", "٣", str(2**63))
    assert sorted(find_versions(tmp_path).complete) == [1, 42, 1700000000]


def test_the_folder_is_read_by_the_name_it_has(tmp_path):
    make(tmp_path, "0042")
    assert find_versions(tmp_path).complete[42] == tmp_path / "0042"


def test_of_two_names_of_one_number_the_last_in_order_counts(tmp_path):
    make(tmp_path, "1", "001")
    assert find_versions(tmp_path).complete == {1: tmp_path / "1"}


def test_a_folder_without_saved_model_is_incomplete(tmp_path):
    make(tmp_path, "1")
    make(tmp_path, "2", complete=False)
    (tmp_path / "3").touch()
    found = find_versions(tmp_path)
    assert sorted(found.complete) == [1]
    assert sorted(found.incomplete) == [2, 3]


def test_policies_choose_among_what_is_there():
    present = {1, 5, 9}
    assert Latest().choose(present) == {9}
    assert Latest(2).choose(present) == {5, 9}
    assert Everything().choose(present) == present
    assert Specific(frozenset({5, 7})).choose(present) == {5}
    assert Latest().choose(set()) == set()


def test_the_fingerprint_changes_when_a_file_grows(tmp_path):
    (tmp_path / "variables").mkdir()
    (tmp_path / "variables" / "data").write_bytes(b"1")
    before = folder_fingerprint(tmp_path)
    assert folder_fingerprint(tmp_path) == before
    (tmp_path / "variables" / "data").write_bytes(b"12")
    assert folder_fingerprint(tmp_path) != before
