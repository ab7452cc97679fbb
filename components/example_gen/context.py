"""What readers need to know beside the file."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.example_gen.file_facts import FileFacts
from components.example_gen.settings import DataSettings
from models.features import Feature, given_features
from models.settings import Settings

Section = Settings | Mapping[str, Any]

_MOST_WARNINGS = 20


@dataclass(frozen=True)
class ReadContext:
    """What holds for all files of a run, and what a reader tells beside the records of a file.

    Attributes:
        features: the task's, but for those that readers note by themselves.
        data: the data section.
        sections: other sections of the configuration, by name, as settings or as what JSON holds of them: those of
            `formats.sections_for`. One that is not there has its defaults.
        facts: what is known of files by their names.
        passed: how much was passed over, by the words of `passing_over`.
        warnings: sentences about what is read, and is perhaps not meant so, by what each is about.
    """

    features: Sequence[Feature]
    data: DataSettings
    sections: Mapping[str, Section]
    facts: FileFacts
    passed: Counter[str] = field(default_factory=Counter)
    warnings: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, features: Sequence[Feature], data: DataSettings, sections: Mapping[str, Section] | None = None
    ) -> "ReadContext":
        """Reads what is told of all files at once.

        Raises:
            DataError: if that cannot be used; see `FileFacts.of`.
        """
        given = given_features(features)
        return cls(given, data, sections or {}, FileFacts.of(data, given))

    @property
    def may_be_empty(self) -> frozenset[str]:
        """Names of the features of which a record may have no text."""
        return frozenset(feature.name for feature in self.features if feature.facts.may_be_empty)

    def for_file(self) -> "ReadContext":
        """The same, with nothing passed over and no warnings yet."""
        return dataclasses.replace(self, passed=Counter(), warnings={})

    def warn(self, about: str, sentence: str) -> None:
        """Remembers a sentence, the first one about each thing."""
        if len(self.warnings) < _MOST_WARNINGS:
            self.warnings.setdefault(about, sentence)
