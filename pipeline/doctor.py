"""Checks whether this machine can do the work, and says what to change where it cannot."""

import dataclasses
import enum
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.requirements import Requirement

from components import ports
from pipeline.config.config import Config, load
from pipeline.config.remarks import slow_on_gpu
from pipeline.errors import ConfigError
from pipeline.run.output_folder import OutputFolder

ROOT = Path(__file__).parent.parent
OLDEST_GLIBC = (2, 39)
LEAST_GIGABYTES, WISE_GIGABYTES = 1, 5
# Either lets oneDNN compute in bfloat16; without them it is emulated, slower than float32.
BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}


class Verdict(enum.StrEnum):
    """How a check came out."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclasses.dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        subject: what was looked at.
        verdict: FAIL where a run cannot work.
        detail: what was found, and what to do.
    """

    subject: str
    verdict: Verdict
    detail: str


def examine(config_file: Path, overrides: Sequence[str]) -> list[Finding]:
    """Looks at everything that a run and a server need. Takes a second: TensorFlow is not loaded."""
    findings = [*_platform(), *_packages(ROOT / "locks" / "runtime.txt"), *_processors()]
    try:
        config = load(config_file, overrides)
    except ConfigError as error:
        # The rest is worth knowing all the same.
        return [*findings, Finding("settings", Verdict.FAIL, str(error))]
    remarks = [Finding("GPU kernel", Verdict.WARN, remark) for remark in slow_on_gpu(config)]
    return [*findings, Finding("settings", Verdict.OK, str(config_file)), *remarks, *_ports(config), *_disk(config)]


def _platform() -> Iterator[Finding]:
    machine = f"{platform.system()} {platform.machine()}"
    fits = machine == "Linux x86_64"
    yield Finding(
        "platform", _fail_unless(fits), machine if fits else f"{machine}; TFX has packages for Linux x86_64 only"
    )
    version = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Finding(
        "Python", _fail_unless(fits), version if fits else f"{version}; set SEQLINE_PYTHON to a Python 3.11 to 3.13"
    )
    glibc = os.confstr("CS_GNU_LIBC_VERSION") or "unknown"
    found = re.search(r"(\d+)\.(\d+)", glibc)
    fits = found is not None and (int(found[1]), int(found[2])) >= OLDEST_GLIBC
    yield Finding(
        "C library",
        _fail_unless(fits),
        glibc if fits else f"{glibc}; 2.39 or newer is needed: scripts/setup.sh brings one",
    )


def _packages(lock: Path) -> Iterator[Finding]:
    if not lock.exists():
        yield Finding("packages", Verdict.WARN, f"{lock} is not there, so nothing to compare with")
        return
    pinned = _pinned(lock.read_text(encoding="utf-8"))
    problems = []
    for name, wanted in pinned.items():
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            problems.append(f"{name} {wanted} is missing")
            continue
        if installed != wanted:
            problems.append(f"{name} is {installed}, pinned is {wanted}")
    if problems:
        more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
        yield Finding("packages", Verdict.FAIL, f"{'; '.join(problems[:5])}{more}. Run scripts/setup.sh")
    else:
        main = ", ".join(f"{name} {pinned[name]}" for name in ("tfx", "tensorflow", "keras") if name in pinned)
        yield Finding("packages", Verdict.OK, f"{len(pinned)} as pinned ({main})")


def _pinned(lock: str) -> dict[str, str]:
    """Version by package; the lock serves several Pythons, and only the lines for this one count."""
    lines = re.findall(r"^[A-Za-z0-9].*==[^\\\n]*", lock, re.MULTILINE)
    requirements = [Requirement(line.strip()) for line in lines]
    return {
        requirement.name: next(iter(requirement.specifier)).version
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate()
    }


def _processors() -> Iterator[Finding]:
    yield Finding("processor", Verdict.OK, f"{len(os.sched_getaffinity(0))} cores")
    flags = set(re.findall(r"\w+", _first_flags(Path("/proc/cpuinfo"))))
    has_bfloat16 = bool(flags & BFLOAT16_FLAGS)
    detail = ", ".join(sorted(flags & BFLOAT16_FLAGS)) or "not in this processor: leave training.precision at float32"
    yield Finding("bfloat16", Verdict.OK if has_bfloat16 else Verdict.WARN, detail)
    gpus = _gpus()
    if not gpus:
        yield Finding("accelerator", Verdict.OK, "no NVIDIA GPU; training uses the processor")
    elif any(name.startswith("nvidia-cudnn") for name in _installed()):
        yield Finding("accelerator", Verdict.OK, "; ".join(gpus))
    else:
        detail = (
            f"{'; '.join(gpus)}, but TensorFlow's CUDA libraries are not installed; training would use the processor"
        )
        yield Finding("accelerator", Verdict.WARN, detail)


def _first_flags(cpuinfo: Path) -> str:
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith("flags")), "")


def _gpus() -> list[str]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in answer.stdout.splitlines() if line.strip()] if answer.returncode == 0 else []


def _installed() -> list[str]:
    return [distribution.name.lower() for distribution in importlib.metadata.distributions() if distribution.name]


def _ports(config: Config) -> Iterator[Finding]:
    wanted = {"port": ("serving.port", config.serving.port)}
    if config.serving.rest.enabled:
        wanted["REST port"] = ("serving.rest.port", config.serving.rest.port)
    for subject, (setting, port) in wanted.items():
        where = f"{config.serving.host}:{port}"
        if port and not ports.is_free(config.serving.host, port):
            detail = f"{where} is in use (perhaps by your own server); change it with {setting}"
            yield Finding(subject, Verdict.WARN, detail)
        else:
            yield Finding(subject, Verdict.OK, f"{where} is free")


def _disk(config: Config) -> Iterator[Finding]:
    folder = OutputFolder(config).root
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    gigabytes = shutil.disk_usage(existing).free / 2**30
    detail = f"{gigabytes:.1f} GiB free for {folder}"
    if not os.access(existing, os.W_OK):
        yield Finding("disk", Verdict.FAIL, f"{existing} cannot be written; choose another folder with output_dir")
    elif gigabytes < LEAST_GIGABYTES:
        yield Finding("disk", Verdict.FAIL, f"{detail}; free some, or choose another folder with output_dir")
    else:
        yield Finding("disk", Verdict.OK if gigabytes >= WISE_GIGABYTES else Verdict.WARN, detail)


def _fail_unless(fits: bool) -> Verdict:
    return Verdict.OK if fits else Verdict.FAIL
