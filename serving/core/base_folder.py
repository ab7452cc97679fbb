"""One look at a time into the base folder of a model: what of it can be trusted, and what is wrong with it."""

import os
from collections.abc import Mapping
from pathlib import Path

from serving.core.version_records import ModelConfig
from serving.core.versions import Specific, VersionFolders, find_versions

# Looks at which a folder that held versions has to be empty before they are unloaded: a lost mount comes back.
EMPTY_LOOKS = 3


class BaseFolder:
    """Tells which version folders there are.

    What answers is not given up for a folder that cannot be read, that is gone for a moment, or in which another file
    system lies.

    Attributes:
        complaints: What was wrong at the last look, by what it is about.
    """

    def __init__(self, skip_incomplete: bool) -> None:
        """Prepares for the first look.

        Args:
            skip_incomplete: Leave a folder without saved_model.pb alone.
        """
        self.complaints: dict[str, str] = {}
        self._skip_incomplete = skip_incomplete
        self._empty_looks = 0
        self._device: int | None = None

    def look(self, config: ModelConfig, answering: Mapping[int, Path]) -> dict[int, Path] | None:
        """Looks.

        Args:
            config: Where, and what is wanted.
            answering: The versions that answer, and the folders from which they were loaded.

        Returns:
            The version folders; None where everything has to stay as it is.
        """
        self.complaints = {}
        try:
            found, device = find_versions(config.base_path), os.stat(config.base_path).st_dev
        except OSError as error:
            self.complaints["base"] = f"base path {config.base_path} cannot be read: {error}"
            return None
        folders = self._usable(found, answering)
        here = {number for number, path in answering.items() if path.parent == config.base_path}
        if not folders and here and self._may_come_back(config, device):
            return None
        if folders:
            self._empty_looks, self._device = 0, device
        elif not found.incomplete:
            self.complaints["base"] = (
                f"base path {config.base_path} holds no version folder (a folder named by a number)"
            )
        return None if self._named_are_missing(config, folders, answering) else folders

    def _usable(self, found: VersionFolders, answering: Mapping[int, Path]) -> dict[int, Path]:
        for path in found.unreadable.values():
            self.complaints[str(path)] = f"version folder {path} cannot be read"
        # One that answers stays; another one could not be loaded.
        kept = {number: path for number, path in found.unreadable.items() if number in answering}
        if not self._skip_incomplete:
            return found.incomplete | found.complete | kept
        for path in found.incomplete.values():
            self.complaints[str(path)] = f"version folder {path} holds no saved_model.pb (yet): not loaded"
        return found.complete | kept

    def _may_come_back(self, config: ModelConfig, device: int) -> bool:
        if self._device not in (None, device):
            self.complaints["base"] = (
                f"base path {config.base_path} is empty, and on another file system than before (a lost mount?): "
                "what answers stays"
            )
            return True
        self._empty_looks += 1
        return self._empty_looks < EMPTY_LOOKS

    def _named_are_missing(
        self, config: ModelConfig, folders: Mapping[int, Path], answering: Mapping[int, Path]
    ) -> bool:
        """Whether none of the versions that the configuration names is there, while others answer."""
        if not isinstance(config.policy, Specific):
            return False
        missing = sorted(config.policy.versions - folders.keys())
        nothing = len(missing) == len(config.policy.versions)
        for number in missing:
            stays = ": what answers stays" if nothing and answering else ""
            self.complaints[str(number)] = f"version {number} is wanted and not in {config.base_path}{stays}"
        return nothing and bool(answering)
