"""The stations of an election: a mapping that holds a country's 435,296 in some 70 MB.

Figures stand in one array, names of regions once a village; a Station is made when it is asked for.
"""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Names = tuple[str, str, str, str]  # province, regency or city, subdistrict, village
_NONE = -1  # no DPT: this station has not this contest


@dataclass(frozen=True, slots=True)
class Station:
    """One TPS. `code` is the 13-digit code as a number; `dpt` {contest: (men, women)}."""

    code: int
    regions: Names
    dpt: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def tps(self) -> int:
        return self.code % 1000


class Stations(Mapping[int, Station]):
    """{code: Station} of an election with these contests, in the order in which they were added."""

    def __init__(self, contests: set[int]):
        self._place = {contest: 2 * i for i, contest in enumerate(sorted(contests))}
        self._start: dict[int, int] = {}  # code -> first of its figures
        self._figures = array("h")
        self._empty = array("h", [_NONE] * (2 * len(contests)))
        self._names: dict[int, Names] = {}  # village -> names

    def add(self, code: int, names: Names, contest: int, men: int, women: int) -> bool | None:
        """Add one contest's DPT, each 0 to 999: True when it is that of the station's others.

        None when the station has this contest already; nothing is added then.
        """
        figures = self._figures
        start = self._start.get(code)
        if start is None:
            start = self._start[code] = len(figures)
            figures.extend(self._empty)
            self._names.setdefault(code // 1000, names)
            same = True
        else:
            held = figures[start : start + len(self._empty)]
            if held[self._place[contest]] != _NONE:
                return None
            same = all(
                (held[at], held[at + 1]) == (men, women)
                for at in range(0, len(held), 2)
                if held[at] != _NONE
            )
        at = start + self._place[contest]
        figures[at], figures[at + 1] = men, women
        return same

    def __getitem__(self, code: int) -> Station:
        start, figures = self._start[code], self._figures
        dpt = {
            contest: (figures[start + at], figures[start + at + 1])
            for contest, at in self._place.items()
            if figures[start + at] != _NONE
        }
        return Station(code, self._names[code // 1000], dpt)

    def __iter__(self) -> Iterator[int]:
        return iter(self._start)

    def __len__(self) -> int:
        return len(self._start)

    def __contains__(self, code: object) -> bool:
        return code in self._start
