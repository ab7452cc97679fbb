from components.versions import newest_in, versions_in


def test_only_folders_named_by_numbers_are_versions(tmp_path):
    for name in ("9", "10", "\u00b2", "incoming-11", "007"):
        (tmp_path / name).mkdir()
    (tmp_path / "12").touch()
    assert sorted(versions_in(tmp_path)) == [7, 9, 10]
    assert newest_in(tmp_path) == tmp_path / "10"


def test_no_folder_has_no_version(tmp_path):
    assert newest_in(tmp_path / "nothing") is None
    assert newest_in(tmp_path) is None
