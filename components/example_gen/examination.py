"""Reads data to see what a run would say of them: the same notes and judgement, in as much time as is given."""

import time
from collections import Counter, deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from components.errors import DataError, printable
from components.example_gen import overlap as overlaps
from components.example_gen.checks import Evidence, check
from components.example_gen.context import ReadContext, Section
from components.example_gen.counting import NOT_KNOWN, count_record, number_of_records
from components.example_gen.rare_labels import account_for_moves, split_by_hash
from components.example_gen.reading import read_file
from components.example_gen.records import BadRecord, InputFile, Record, texts_of
from components.example_gen.report import FileReport, check_labels, judge, labels_of
from components.example_gen.settings import DataSettings
from models.features import Feature, learned_features

# Records of a file at a time, files open at a time: each split is seen before one of them takes all the time.
_TURN, _OPEN = 1000, 20
# Bounds of the memory: bad records to show, inputs to compare, characters of texts for each split and feature.
_BAD, _INPUTS, _CHARACTERS = 10_000, 1_000_000, 50_000


@dataclass
class Examination:
    """What was read.

    Attributes:
        reports: of the files that were opened, in the order of `files`.
        refused: the bad records.
        seen: of each input, by its digest.
        texts: of each split and text feature, the first texts.
        whole: whether all files were read to their ends.
        placed: whether it is known to which split each record belongs.
        characters: of each split and text feature, how many `texts` has.
        all_texts: whether `texts` has those of all records that were read.
    """

    reports: list[FileReport] = field(default_factory=list)
    refused: list[BadRecord] = field(default_factory=list)
    seen: dict[bytes, overlaps.Seen] = field(default_factory=dict)
    texts: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    characters: Counter[tuple[str, str]] = field(default_factory=Counter)
    whole: bool = False
    placed: bool = True
    all_texts: bool = True

    def labels(self, split: str, feature: str) -> list[str]:
        """Values of a label feature that were seen in a split."""
        return sorted(labels_of(self.reports, split, feature).keys() - {""})


def examine(
    files: Sequence[InputFile],
    features: Sequence[Feature],
    settings: DataSettings,
    sections: Mapping[str, Section] | None = None,
    seconds: float = 10.0,
) -> Examination:
    """Reads the files, in turns, until they or the time end.

    Args:
        files: from `input_files`.
        features: the task's.
        settings: the data section.
        sections: as in `ReadContext`.
        seconds: after which no further record is read; the first turn of the first files is read in any case.

    Raises:
        DataError: what is told of all files at once cannot be used; see `FileFacts.of`.
    """
    context = ReadContext.of(features, settings, sections)
    found, deadline = Examination(), time.monotonic() + seconds
    waiting = deque(_taking_turns(files))
    opened: deque[Generator[None]] = deque()
    positions = {tuple(map(printable, file.paths)): position for position, file in enumerate(files)}
    while waiting or opened:
        late = time.monotonic() > deadline
        if waiting and len(opened) < _OPEN and not (late and len(found.reports) >= _OPEN):
            reading = _read(waiting.popleft(), context, found, deadline)
        elif opened and not late:
            reading = opened.popleft()
        else:
            break
        if next(reading, _ENDED) is not _ENDED:
            opened.append(reading)
    for reading in opened:
        reading.close()
    found.whole = found.placed and not waiting and not opened
    found.reports.sort(key=lambda report: positions[report.paths])
    return found


def judged(found: Examination, features: Sequence[Feature], settings: DataSettings) -> list[str]:
    """Judges what was read as ExampleGen would.

    Returns:
        What a person would want to hear, one sentence each.

    Raises:
        DataError: what ExampleGen would stop on; where not all was read, only what no further record can change.
    """
    moves = found.whole and split_by_hash(settings, features)
    moved = account_for_moves(found.reports, Counter()) if moves else set()
    judge(found.reports, found.refused, features, settings, found.whole)
    overlap = overlaps.add(map(overlaps.overlap_of, found.seen.values()))
    evidence = Evidence(found.reports, overlap, features, settings.splits(), found.whole, moved, settings.gate)
    return [*check(evidence), *(() if found.whole else _so_far(found, features, settings))]


def _so_far(found: Examination, features: Sequence[Feature], settings: DataSettings) -> Iterator[str]:
    """What would stop a run, if what was not read does not mend it."""
    # A hash moves what train lacks.
    for feature in () if split_by_hash(settings, features) else features:
        if feature.facts.learned == "categories":
            try:
                check_labels(found.reports, feature)
            except DataError as error:
                yield f"So far: {error}"


_ENDED = object()


def _taking_turns(files: Sequence[InputFile]) -> Iterator[InputFile]:
    """The first file of each split, then the second, and so on."""
    number: Counter[str | None] = Counter()
    placed = []
    for file in files:
        placed.append((number[file.split], file))
        number[file.split] += 1
    return (file for _, file in sorted(placed, key=lambda one: one[0]))


def _read(file: InputFile, context: ReadContext, found: Examination, deadline: float) -> Generator[None]:
    """Reads a file; stops after each turn, and within one when the time is over."""
    report, context = FileReport(tuple(map(printable, file.paths)), file.split), context.for_file()
    found.reports.append(report)
    report.passed = context.passed
    try:
        total = number_of_records(file, context, deadline)
        found.placed &= total != NOT_KNOWN
        for number, item in enumerate(read_file(file, context), start=1):
            if isinstance(item, BadRecord):
                report.add_refused(item)
                if len(found.refused) < _BAD and not item.rule:
                    found.refused.append(item)
            else:
                _note(item, count_record(item, file, report, context, total), context, found)
            if number % _TURN == 0 or (number > _TURN and time.monotonic() > deadline):
                yield None
    except DataError as error:
        report.problem = str(error)
    finally:
        report.warnings = list(map(printable, context.warnings.values()))


def _note(record: Record, split: str, context: ReadContext, found: Examination) -> None:
    digest, seen = overlaps.seen_of(record, split, context.features)
    if digest in found.seen:
        found.seen[digest] = overlaps.merge([found.seen[digest], seen])
    elif len(found.seen) < _INPUTS:
        found.seen[digest] = seen
    for name in learned_features(context.features, "pieces"):
        if found.characters[split, name] > _CHARACTERS:
            found.all_texts = False
            continue
        texts = texts_of(record.values[name])
        found.texts.setdefault(split, {}).setdefault(name, []).extend(texts)
        found.characters[split, name] += sum(map(len, texts))
