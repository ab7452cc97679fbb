"""Where a run puts what it makes."""

import glob
import hashlib
import os
import tempfile
from pathlib import Path

from pipeline.config.config import Config
from pipeline.errors import ConfigError


class OutputFolder:
    """The paths below `output_dir`; absolute, because ML Metadata outlives the working directory.

    TFX, Beam and TensorFlow take `*`, `?` and `[` in a path of theirs for a pattern. Where the folder's own path has
    one of them, stages and servers reach it by a link without, beside the first folder whose name has one.
    """

    def __init__(self, config: Config) -> None:
        self.root = Path(config.output_dir).resolve()
        self.reached = self.root if not glob.has_magic(str(self.root)) else _link_to(self.root)
        self.metadata = self.reached / "metadata.sqlite"
        self.artifacts = self.reached / "artifacts"
        self.serving = self.reached / "serving" / config.name
        self.checkpoints = self.reached / "checkpoints"
        self.logs = self.root / "logs"
        self.reports = self.root / "reports"
        self.compiled = self.root / "compiled"
        if self.root.is_dir():
            self.make_reachable()

    def make_reachable(self) -> None:
        """Makes the link, where there is to be one; raises ConfigError where its place is taken."""
        if self.reached == self.root:
            return
        if not os.path.lexists(self.reached):
            self.reached.symlink_to(self.root)
        if not self.reached.is_symlink() or self.reached.readlink() != self.root:
            raise ConfigError(
                f"output_dir {self.root} has a wildcard character in its path, so a link to it must stand at "
                f"{self.reached}. Received: something else there. Remove it, or choose another output_dir"
            )

    def report(self, run_id: str) -> Path:
        """The folder of a run's report."""
        return self.reports / run_id

    def log(self, run_id: str) -> Path:
        """The log file of a run."""
        return self.logs / f"{run_id}.log"


def _link_to(root: Path) -> Path:
    name = f".seqline-{hashlib.sha256(os.fsencode(root)).hexdigest()[:12]}"
    plain = next(folder for folder in root.parents if not glob.has_magic(str(folder)))
    # The same place each time: what ML Metadata holds are paths through the link.
    writable = (plain / name).is_symlink() or os.access(plain, os.W_OK)
    return (plain if writable else Path(tempfile.gettempdir())) / name
