"""A wall sheet's layout as data: reads forms/*.toml (units and keys are explained in ppwp-2024)."""

import copy
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMS = Path(__file__).parent / "forms"
Rect = tuple[float, float, float, float]  # x, y, width, height in the layout's units


@dataclass(frozen=True)
class Field:
    """One figure on a page: digit boxes from left to right and, where printed, its other places."""

    name: str
    boxes: tuple[Rect, ...]
    bubbles: tuple[tuple[tuple[float, float], ...], ...] = ()  # [box][digit 0..9] -> centre
    tally: dict[str, Any] | None = None  # x, y, cell, columns, rows, totals
    words: Rect | None = None


@dataclass(frozen=True)
class Page:
    """One sheet: its tag's id and what is printed on it (`data`, keys as in the TOML file)."""

    number: int
    tag: int
    groups: tuple[str, ...]
    data: dict[str, Any]


@dataclass(frozen=True)
class Form:
    """A form and its pages."""

    number: int
    code: str
    name: str
    categories: tuple[str, ...]
    most_pairs: int
    reserve_permille: int
    officers: int
    text: dict[str, str]
    paper: dict[str, Any]
    header: dict[str, Any]
    pages: tuple[Page, ...]

    def page(self, number: int) -> Page:
        """The page with this number, or ValueError."""
        for page in self.pages:
            if page.number == number:
                return page
        raise ValueError(f"{self.code} has no page {number}")

    def fields(self, number: int, pairs: int | None = None) -> tuple[Field, ...]:
        """The figures on a page in reading order, for `pairs` candidate pairs."""
        data = self.page(number).data
        width, height = data.get("box", self.paper["box"])
        out = []
        for name, column, y in data.get("boxes", ()):
            boxes = tuple((x, y, width, height) for x in data["columns"][column])
            tally = data.get("tally")
            words = data.get("words", {}).get(name)
            tally = tally if tally and tally["field"] == name else None
            out.append(Field(name, boxes, (), tally, tuple(words) if words else None))
        if "pair" in data:
            out += [self._pair_field(data["pair"], i) for i in range(self.pair_count(pairs))]
        return tuple(out)

    def pair_count(self, pairs: int | None) -> int:
        """`pairs`, or as many as the form has room for; ValueError where they do not fit."""
        if pairs is None:
            return self.most_pairs
        if not 1 <= pairs <= self.most_pairs:
            raise ValueError(f"{self.code} has room for 1 to {self.most_pairs} pairs")
        return pairs

    def record_form(self) -> list:
        """The form as the election package carries it: [no, code, categories, pages]."""
        pages = [[page.number, page.tag, list(page.groups)] for page in self.pages]
        return [self.number, self.code, list(self.categories), pages]

    def _pair_field(self, block: dict[str, Any], i: int) -> Field:
        top = block["first"] + i * block["pitch"]
        width, height = self.paper["box"]
        marks = block["bubbles"]
        bubbles = tuple(
            tuple((x, top + marks["y"] + d * marks["pitch"]) for d in range(10)) for x in marks["x"]
        )
        x, y, w, h = block["words"]
        return Field(
            name=f"votes_{i + 1}",
            boxes=tuple((bx, top + block["boxes_y"], width, height) for bx in block["columns"]),
            bubbles=bubbles,
            tally={**block["tally"], "y": top + block["tally"]["y"]},
            words=(x, top + y, w, h),
        )


def names() -> list[str]:
    """The names of the forms that can be drawn."""
    return sorted(path.stem for path in FORMS.glob("*.toml"))


def load(name: str) -> Form:
    """The form forms/NAME.toml (or a path to a TOML file); ValueError when there is none."""
    data = _read(name)
    pages = tuple(
        Page(page["number"], page["tag"], tuple(page["groups"]), page) for page in data["page"]
    )
    return Form(
        data["number"],
        data["code"],
        data["name"],
        tuple(data["categories"]),
        data["pairs"],
        data["reserve_permille"],
        data["officers"],
        data["text"],
        data["paper"],
        data["header"],
        pages,
    )


def _read(name: str) -> dict[str, Any]:
    path = Path(name) if name.endswith(".toml") else FORMS / f"{name}.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise ValueError(f"No form {name}; there are {', '.join(names())}") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: {error}") from None
    return _overlay(_read(data["like"]), data) if "like" in data else data


def _overlay(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`base` with `over` laid on it: tables merge, pages match by number, the rest is replaced."""
    out = copy.deepcopy(base)
    for key, value in over.items():
        if key == "page":
            by_number = {page["number"]: page for page in out["page"]}
            for page in value:
                merged = _overlay(by_number.get(page["number"], {}), page)
                by_number[page["number"]] = merged
            out["page"] = [by_number[n] for n in sorted(by_number)]
        elif isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = _overlay(out[key], value)
        else:
            out[key] = value
    return out
