"""Where a run puts what it makes."""

from pathlib import Path

from pipeline.config.config import Config


class OutputFolder:
    """The paths below `output_dir`; absolute, because ML Metadata outlives the working directory."""

    def __init__(self, config: Config) -> None:
        self.root = Path(config.output_dir).resolve()
        self.metadata = self.root / "metadata.sqlite"
        self.artifacts = self.root / "artifacts"
        self.serving = self.root / "serving" / config.name
        self.checkpoints = self.root / "checkpoints"
        self.logs = self.root / "logs"

    def log(self, run_id: str) -> Path:
        """The log file of a run."""
        return self.logs / f"{run_id}.log"
