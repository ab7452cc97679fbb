"""What readers need to know beside the file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.example_gen.file_facts import FileFacts
from components.example_gen.settings import DataSettings
from models.features import Feature, given_features
from models.settings import Settings

Section = Settings | Mapping[str, Any]


@dataclass(frozen=True)
class ReadContext:
    """What holds for all files of a run.

    Attributes:
        features: the task's, but for those that readers note by themselves.
        data: the data section.
        sections: other sections of the configuration, by name, as settings or as what JSON holds of them: those of
            `formats.sections_for`. One that is not there has its defaults.
        facts: what is known of files by their names.
    """

    features: Sequence[Feature]
    data: DataSettings
    sections: Mapping[str, Section]
    facts: FileFacts

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
