"""The built-in sample `sample:dates`: dates as people write them, with their ISO 8601 form.

Made on the spot, so that a first run needs no download, and a real task all the same: four languages, many layouts,
two-digit years, weekdays, ordinals, abbreviations. One input never has two answers. The rules that make it so:

- Two-digit years: 50-99 are 1950-1999, 00-49 are 2000-2049. The dates run from 1950-01-01 to 2049-12-31.
- Numbers with the year first are year, month, day. Numbers with the year last are day, month, year, with full stops
  (German) as with slashes (French, British). Month before day appears with the name of the month only.
"""

import datetime
import random
from collections.abc import Iterator
from dataclasses import dataclass

from components.example_gen.context import ReadContext
from components.example_gen.records import BadRecord, InputFile, Record

FIRST_DATE = datetime.date(1950, 1, 1)
LAST_DATE = datetime.date(2049, 12, 31)


@dataclass(frozen=True)
class Language:
    """How one language writes dates.

    Attributes:
        months: names from January; `short_months` their abbreviations.
        weekdays: names from Monday; `short_weekdays` their abbreviations.
        ordinals: suffix by day of the month; days that are not there take `ordinal`.
        layouts: format texts over the fields of `_fields`.
    """

    months: tuple[str, ...]
    short_months: tuple[str, ...]
    weekdays: tuple[str, ...]
    short_weekdays: tuple[str, ...]
    layouts: tuple[str, ...]
    ordinals: dict[int, str]
    ordinal: str = ""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_KOREAN_MONTHS = tuple(f"{month}월" for month in range(1, 13))

LANGUAGES: dict[str, Language] = {
    "english": Language(
        months=_words("January February March April May June July August September October November December"),
        short_months=_words("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"),
        weekdays=_words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
        short_weekdays=_words("Mon Tue Wed Thu Fri Sat Sun"),
        ordinals={1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"},
        ordinal="th",
        layouts=(
            "{year}-{month:02}-{day:02}",
            "{year}/{month:02}/{day:02}",
            "{month_name} {day}, {year}",
            "{day} {month_name} {year}",
            "{short_month} {day}, {year}",
            "{day} {short_month} {year}",
            "{day}-{short_month}-{short_year:02}",
            "{short_month} {day} '{short_year:02}",
            "{weekday}, {month_name} {day}, {year}",
            "{short_weekday} {day} {short_month} {year}",
            "{month_name} {day}{suffix}, {year}",
            "{day}{suffix} of {month_name} {year}",
            "the {day}{suffix} of {month_name}, {year}",
            "{weekday} {day}{suffix} {month_name} {year}",
        ),
    ),
    "german": Language(
        months=_words("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
        short_months=_words("Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez."),
        weekdays=_words("Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag"),
        short_weekdays=_words("Mo Di Mi Do Fr Sa So"),
        ordinals={},
        ordinal=".",
        layouts=(
            "{day:02}.{month:02}.{year}",
            "{day}.{month}.{year}",
            "{day}. {month}. {year}",
            "{day:02}.{month:02}.{short_year:02}",
            "{day}{suffix} {month_name} {year}",
            "{day}{suffix} {short_month} {year}",
            "{day}{suffix} {month_name} '{short_year:02}",
            "{weekday}, {day}{suffix} {month_name} {year}",
            "{weekday}, den {day}{suffix} {month_name} {year}",
            "{short_weekday}, {day:02}.{month:02}.{year}",
            "{short_weekday}, {day}{suffix} {short_month} {year}",
            "am {day}{suffix} {month_name} {year}",
        ),
    ),
    "french": Language(
        months=_words("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
        short_months=_words("janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."),
        weekdays=_words("lundi mardi mercredi jeudi vendredi samedi dimanche"),
        short_weekdays=_words("lun. mar. mer. jeu. ven. sam. dim."),
        ordinals={1: "er"},
        layouts=(
            "{day:02}/{month:02}/{year}",
            "{day}/{month}/{year}",
            "{day:02}/{month:02}/{short_year:02}",
            "{day:02}-{month:02}-{year}",
            "{day}{suffix} {month_name} {year}",
            "{day}{suffix} {short_month} {year}",
            "le {day}{suffix} {month_name} {year}",
            "{weekday} {day}{suffix} {month_name} {year}",
            "le {weekday} {day}{suffix} {month_name} {year}",
            "{short_weekday} {day} {short_month} {year}",
            "{day} {short_month} {short_year:02}",
        ),
    ),
    "korean": Language(
        months=_KOREAN_MONTHS,
        short_months=_KOREAN_MONTHS,
        weekdays=_words("월요일 화요일 수요일 목요일 금요일 토요일 일요일"),
        short_weekdays=_words("월 화 수 목 금 토 일"),
        ordinals={},
        layouts=(
            "{year}년 {month_name} {day}일",
            "{year}년{month_name}{day}일",
            "{year}년 {month_name} {day}일 {weekday}",
            "{year}년 {month_name} {day}일 ({short_weekday})",
            "{year}. {month}. {day}.",
            "{year}.{month:02}.{day:02}",
            "{year}. {month}. {day}. ({short_weekday})",
            "{short_year:02}년 {month_name} {day}일",
        ),
    ),
}


def read(file: InputFile, context: ReadContext) -> Iterator[Record | BadRecord]:
    """Yields `data.sample_size` pairs of a written date (`source`) and its ISO form (`target`).

    The split goes by the date, not by its spelling: a date of the eval split never appears in training.
    """
    for number, (source, target) in enumerate(
        sample_dates(context.data.sample_size, context.data.sample_seed), start=1
    ):
        yield Record({"source": source, "target": target}, file.name, number, split_key=target)


def sample_dates(size: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yields `size` pairs (written date, ISO date); the same size and seed give the same pairs."""
    generator = random.Random(seed)
    days = (LAST_DATE - FIRST_DATE).days + 1
    languages = tuple(LANGUAGES.values())
    for _ in range(size):
        date = FIRST_DATE + datetime.timedelta(days=generator.randrange(days))
        language = generator.choice(languages)
        written = generator.choice(language.layouts).format(**_fields(date, language))
        yield _vary(written, generator), date.isoformat()


def every_spelling(date: datetime.date) -> Iterator[str]:
    """Yields the date in every layout of every language, without the variation of case and commas."""
    for language in LANGUAGES.values():
        fields = _fields(date, language)
        for layout in language.layouts:
            yield layout.format(**fields)


def _fields(date: datetime.date, language: Language) -> dict[str, str | int]:
    return {
        "year": date.year,
        "short_year": date.year % 100,
        "month": date.month,
        "month_name": language.months[date.month - 1],
        "short_month": language.short_months[date.month - 1],
        "day": date.day,
        "suffix": language.ordinals.get(date.day, language.ordinal),
        "weekday": language.weekdays[date.weekday()],
        "short_weekday": language.short_weekdays[date.weekday()],
    }


def _vary(written: str, generator: random.Random) -> str:
    """Changes case or drops commas now and then, as people do; the rest stays as the layout has it."""
    chance = generator.random()
    if chance < 0.1:
        return written.lower()
    if chance < 0.2:
        return written.upper()
    if chance < 0.3:
        return written.replace(",", "")
    return written
