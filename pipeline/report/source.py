"""What the sections of a report read: a run, its settings, and the folders of what its stages made."""

import contextlib
import functools
import os
from pathlib import Path

from components.paths import local_copy
from models.registry import TASKS
from models.tasks.task import Task
from pipeline.config.config import Config
from pipeline.history.runs import Run
from pipeline.report.evaluated import Evaluated
from pipeline.report.lineage import Lineage, Made


class Source:
    """One run.

    Args:
        run: as the history has it.
        config: of the run.
        lineage: where it came from.
        previous: the run whose model was the last blessed one; None for none.
        failure: why it failed, in words; "" where it did not.
        scratch: what lies elsewhere is brought here, and goes with it.
    """

    def __init__(
        self,
        run: Run,
        config: Config,
        lineage: Lineage,
        previous: Run | None,
        failure: str,
        scratch: contextlib.ExitStack,
    ) -> None:
        self.run, self.config, self.lineage, self.previous, self.failure = run, config, lineage, previous, failure
        self._scratch = scratch

    @property
    def task(self) -> Task:
        """What the sequence problem is."""
        return TASKS[self.config.task]

    @functools.cache  # noqa: B019  (as long-lived as the report)
    def folder(self, output: str) -> Path | None:
        """The folder of the last stage's output of this name; None where there is none, as in a run that failed."""
        uris = [uri for name, uri in self.run.artifacts.items() if name.rpartition("/")[2] == output]
        if not uris:
            return None
        folder = self._scratch.enter_context(local_copy(uris[-1]))
        return folder if os.path.isdir(folder) else None

    def made(self, output: str) -> Made | None:
        """What ML Metadata has of the first stage's output of this name; None where there is none."""
        return next((made for made in self.lineage.made if made.output.rpartition("/")[2] == output), None)

    @functools.cached_property
    def evaluated(self) -> Evaluated | None:
        """The examples of the evaluation; None where there are none."""
        folder = self.folder("evaluation")
        found = Evaluated(folder, self.config.task, self.config.evaluation) if folder else None
        return found if found and found.predictions and found.metrics else None
