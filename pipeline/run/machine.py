"""What a run stands on, for those who ask later why figures differ."""

import importlib.metadata
import os
import platform

_PACKAGES = ("tensorflow", "keras", "keras-hub", "tensorflow-text", "tfx", "apache-beam", "sacrebleu", "numpy")


def this_machine() -> dict[str, str]:
    """Processor, system and versions, by name. Nothing here tells which machine of many it is."""
    return {
        "system": platform.platform(),
        "processors": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        # TensorFlow has builds of other names.
        return "not installed under this name"
