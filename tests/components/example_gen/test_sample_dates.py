import datetime
import re

from components.example_gen.sample_dates import FIRST_DATE, LANGUAGES, LAST_DATE, every_spelling, sample_dates


def test_one_spelling_never_means_two_dates():
    """Every 3rd day of the century in every layout, blind to what the variation changes (case, commas)."""
    seen = {}
    for offset in range(0, (LAST_DATE - FIRST_DATE).days + 1, 3):
        date = FIRST_DATE + datetime.timedelta(days=offset)
        for spelling in every_spelling(date):
            assert seen.setdefault(spelling.replace(",", "").casefold(), date) == date, spelling
    assert len(seen) > 500_000


def test_size_and_seed_decide_the_sample():
    assert list(sample_dates(50, 1)) == list(sample_dates(50, 1))
    assert list(sample_dates(50, 1)) == list(sample_dates(80, 1))[:50]
    assert list(sample_dates(50, 1)) != list(sample_dates(50, 2))


def test_targets_are_iso_dates_of_the_range():
    dates = [datetime.date.fromisoformat(target) for _, target in sample_dates(2000, 1)]
    assert FIRST_DATE <= min(dates) < datetime.date(1955, 1, 1)
    assert datetime.date(2045, 1, 1) < max(dates) <= LAST_DATE
    assert len(set(dates)) > 1800


def test_known_spellings():
    spellings = set(every_spelling(datetime.date(2014, 3, 1)))
    assert {
        "2014-03-01",
        "Saturday, March 1, 2014",
        "the 1st of March, 2014",
        "1-Mar-14",
        "Mar 1 '14",
        "Samstag, den 1. März 2014",
        "1.3.2014",
        "le samedi 1er mars 2014",
        "01/03/14",
        "2014년 3월 1일 (토)",
        "14년 3월 1일",
    } <= spellings
    assert "2nd of March 2014" in set(every_spelling(datetime.date(2014, 3, 2)))
    assert "le mardi 11 mars 2014" in set(every_spelling(datetime.date(2014, 3, 11)))
    assert "March 12th, 1999" in set(every_spelling(datetime.date(1999, 3, 12)))


def test_the_sample_varies():
    sources = [source for source, _ in sample_dates(3000, 1)]
    assert len(LANGUAGES) == 4
    assert any(source.isupper() for source in sources)
    assert any(re.fullmatch("[A-Z][a-z]+day [A-Z][a-z]+ \\d+ \\d{4}", source) for source in sources)  # comma dropped
    assert max(map(len, sources)) < 40
