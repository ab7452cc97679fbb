"""What TensorFlow says while it is imported, and what it asks for."""

import os
import tempfile

import pytest

from serving.tensorflow_import import name_a_temporary_folder, without_chatter


def test_what_matters_is_passed_on(capfd):
    with without_chatter():
        os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n")
        os.write(2, b"I0000 00:00:1.2    1 port.cc:153] custom operations are on\n")
        os.write(2, b"F0000 00:00:1.2    1 port.cc:153] this machine will not do\n")
        os.write(2, b"2026-01-01 00:00:00,000 WARNING the certificate expires\n")
    os.write(2, b"I0000 00:00:1.3 later\n")
    assert [line.split("] ")[-1] for line in capfd.readouterr().err.splitlines()] == [
        "this machine will not do",
        "2026-01-01 00:00:00,000 WARNING the certificate expires",
        "I0000 00:00:1.3 later",
    ]


def test_what_matters_is_passed_on_after_a_failure_too(capfd):
    with pytest.raises(ImportError), without_chatter():
        os.write(2, b"reason\n")
        raise ImportError
    assert capfd.readouterr().err == "reason\n"


def test_a_machine_without_a_folder_to_write_to_will_do(monkeypatch):
    def none_is_usable() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_get_default_tempdir", none_is_usable)
    name_a_temporary_folder()
    assert tempfile.gettempdir() == "/tmp"
