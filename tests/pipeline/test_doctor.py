import socket
from pathlib import Path

import pytest

from pipeline import doctor
from pipeline.doctor import Verdict, examine


def by_subject(file: Path, *overrides: str) -> dict[str, doctor.Finding]:
    return {finding.subject: finding for finding in examine(file, overrides)}


def test_this_machine_can_do_the_work(dates_file: Path) -> None:
    findings = by_subject(dates_file, "serving.port=0")
    for subject in ("platform", "Python", "C library", "packages", "settings", "port"):
        assert findings[subject].verdict == Verdict.OK, findings[subject]
    assert "tfx 1.21.0" in findings["packages"].detail


def test_a_port_in_use_is_a_warning(dates_file: Path) -> None:
    for setting, subject in (("serving.port", "port"), ("serving.rest.port", "REST port")):
        with socket.create_server(("127.0.0.1", 0)) as other:
            finding = by_subject(dates_file, f"{setting}={other.getsockname()[1]}")[subject]
        assert finding.verdict == Verdict.WARN
        assert "is in use" in finding.detail and setting in finding.detail


def test_broken_settings_do_not_hide_the_rest(tmp_path: Path) -> None:
    findings = by_subject(tmp_path / "no.yaml")
    assert findings["settings"].verdict == Verdict.FAIL
    assert "there is no such file" in findings["settings"].detail
    assert findings["platform"].verdict == Verdict.OK


def test_a_package_that_is_not_as_pinned_is_named(dates_file: Path, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "runtime.txt").write_text(
        "keras==3.1.0 \\\n    --hash=sha256:00\n"
        "nosuchpackage==1.0 ; python_full_version >= '3' \\\n    --hash=sha256:00\n"
        "scipy==9.9.9 ; python_full_version < '3'\n"
    )
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    finding = by_subject(dates_file)["packages"]
    assert finding.verdict == Verdict.FAIL
    assert "keras is 3.15" in finding.detail and "pinned is 3.1.0" in finding.detail
    assert "nosuchpackage 1.0 is missing" in finding.detail
    assert "scipy" not in finding.detail, "a line for another Python counts"
    assert "Run scripts/setup.sh" in finding.detail


def test_a_full_disk_fails(dates_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_GIGABYTES", 10**9)
    assert by_subject(dates_file)["disk"].verdict == Verdict.FAIL


def test_processor_flags_are_read(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor : 0\nflags\t\t: fpu avx512_bf16 amx_tile\n")
    assert "avx512_bf16" in doctor._first_flags(cpuinfo)
    assert doctor._first_flags(tmp_path / "none") == ""


def test_a_setting_that_loses_the_fast_kernel_of_a_gpu_is_a_warning(dates_file: Path) -> None:
    assert "GPU kernel" not in by_subject(dates_file)
    finding = by_subject(dates_file, "model.layer_normalization=true")["GPU kernel"]
    assert finding.verdict == Verdict.WARN
    assert finding.detail.startswith("model.layer_normalization true: cuDNN")
