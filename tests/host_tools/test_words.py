"""Every sentence that the kit shows or prints is in the words, and every word is used and fits."""

import ast
import asyncio
import json
import re
from pathlib import Path

import pytest

from firmware.frame import COLUMNS, wrap
from firmware.language import Words
from firmware.screens import Screens

ROOT = Path(__file__).parents[2]
FIRMWARE = ROOT / "firmware"
WORDS = FIRMWARE / "words"
LANGUAGES = sorted(path.stem for path in WORDS.glob("*.json"))

SHOWN_BY = {"t", "words", "say", "message", "menu", "number", "review", "preview", "progress"}
SHOWN_BY |= {"fault", "paragraph", "row", "_heading", "_head", "_tail", "keys", "ask"}
PLAIN = re.compile(r"[A-Z][A-Z0-9_]*|[-%\d\s.:/,()sd]*|[a-z]+[_-][a-z_-]+|E%d|\S")  # names, layouts
SENTENCE = re.compile(r"[A-Z][a-z]* [a-z]")  # a constant that is shown, as in NAME = "Too dark"
SAME = {"SAKSI", "PIN", "OK", "SIM PIN", "No. ", "TPS %03d"}  # the same in every language
# What these files complain of goes to programs and to the technician's cable, not to the screen.
TECHNICAL = {"record.py", "qr_text.py", "enrol.py", "serial_link.py", "journal.py", "neighbour.py"}
TECHNICAL |= {"seal.py", "roster.py"}
TECHNICAL |= {"release.py", "slots.py"}
TECHNICAL |= {"parts_test.py"}
# Tables of sentences that are looked up and then translated.
TABLES = {"_SENTENCES", "RULE_REASONS", "CORRECTION_REASONS", "ERRORS", "TEXTS", "_TEXTS", "NAMES"}
TABLES |= {"HINTS", "_TABLES", "_LISTS", "_STANDS", "_TITLES"}


def table(language: str) -> dict[str, str]:
    return json.loads((WORDS / f"{language}.json").read_text())


def strings(node: ast.AST) -> set[str]:
    """Every string literal below `node` but those that something is compared with."""
    if isinstance(node, ast.Compare):
        return set()
    if isinstance(node, ast.Constant):
        return {node.value} if isinstance(node.value, str) else set()
    return {s for child in ast.iter_child_nodes(node) for s in strings(child)}


def trees() -> list[tuple[Path, ast.Module]]:
    return [(path, ast.parse(path.read_text())) for path in sorted(FIRMWARE.rglob("*.py"))]


def sentences(tree: ast.Module) -> set[str]:
    """What the code translates: literals given to t(), to the screens, to the slip and to errors.

    A sentence is told from a key's name or a layout by its look (PLAIN).
    """
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict | ast.Constant):
            target = node.targets[0]
            target = target.value if isinstance(target, ast.Subscript) else target
            constant = isinstance(node.value, ast.Constant) and SENTENCE.match(
                str(node.value.value)
            )
            if not isinstance(target, ast.Name):
                continue
            if target.id in TABLES or (constant and target.id.isupper()):
                values = node.value.values if isinstance(node.value, ast.Dict) else [node.value]
                found |= {s for value in values for s in literals(value)}
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        name = name or (node.func.id if isinstance(node.func, ast.Name) else "")
        if name in ("t", "words"):
            found |= {s for argument in node.args[:1] for s in literals(argument)}
        elif name in SHOWN_BY:
            found |= {s for argument in node.args for s in strings(argument)}
        elif name.endswith("Error") and len(node.args) == 2:
            found |= {s for s in strings(node.args[1]) if "%" not in s and s[-1:] != " "}
        elif name.endswith("Error") and len(node.args) > 2:
            found |= strings(node.args[1])
    return {s for s in found if not PLAIN.fullmatch(s) and s.strip() and s not in SAME}


def literals(node: ast.AST) -> set[str]:
    """String literals that `node` itself can be: not what it is joined to or looked up by."""
    if isinstance(node, ast.Constant):
        return {node.value} if isinstance(node.value, str) else set()
    if isinstance(node, ast.IfExp):
        return literals(node.body) | literals(node.orelse)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Dict):
        return {s for value in node.value.values for s in literals(value)}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return literals(node.left)
    return set()


def titles() -> set[str]:
    """First arguments of the screens, of the station's own questions and of Keying.all."""
    asking = {
        "message",
        "menu",
        "number",
        "figures",
        "preview",
        "progress",
        "ask",
        "confirm",
        "all",
    }
    return {
        title
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args
        if node.func.attr in asking
        for title in literals(node.args[0])
    }


def test_every_sentence_of_the_firmware_has_its_words_in_indonesian():
    known = table("id")
    missing = {
        f"{path.relative_to(ROOT)}: {sentence}"
        for path, tree in trees()
        if path.name not in TECHNICAL
        for sentence in sentences(tree)
        if sentence not in known
    }
    assert not missing, "\n".join(sorted(missing))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_is_left_over(language):
    nodes = [node for _, tree in trees() for node in ast.walk(tree)]
    used = {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    starts = {s for s in used if s.endswith(" ") and s.strip()}  # "Ballots " + row
    ends = {s for s in used if " " not in s}
    left = {
        key
        for key in table(language)
        if key not in used
        and not any(key.startswith(start) and key[len(start) :] in ends for start in starts)
    }
    assert not left, "\n".join(sorted(left))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_takes_the_same_values_in_every_language(language):
    for key, value in table(language).items():
        assert re.findall(r"%.", key) == re.findall(r"%.", value), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_are_sorted_and_of_the_fonts_characters(language):
    text = (WORDS / f"{language}.json").read_text()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"
    assert text.isascii()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_is_wider_than_the_screen(language):
    for key, value in table(language).items():
        assert all(len(word) <= COLUMNS for word in value.split()), value
        assert len(wrap(value, COLUMNS)) <= 8, f"{key}: {value}"
        assert value == value.strip()


class Paper:
    """Display and keypad that show nothing and press OK at once."""

    size = (240, 320)

    def blit(self, canvas, y0, y1):
        pass

    def read(self):
        return "OK"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_fits_as_title_as_label_and_as_item(language, monkeypatch):
    paper = Paper()
    screens = Screens(paper, paper, Words(language))
    screens.status.training = True
    drawn = []
    draw = screens.canvas.text

    def text(x, y, line, font, inverse=False, *, scale=1):
        assert x + len(line) * font.width * scale <= 240, line
        assert y + font.height * scale <= 320, line
        drawn.append(line.strip())
        draw(x, y, line, font, inverse, scale=scale)

    monkeypatch.setattr(screens.canvas, "text", text)
    shown_as_title = titles()
    for key in sorted(table("id")):
        words = re.sub(r"%[sd]", "888", screens.t(key))
        drawn.clear()
        asyncio.run(screens.number("PIN", words, 3, before=("PIN", 1)))
        assert words in " ".join(drawn), f"as a label: {words}"
        drawn.clear()
        asyncio.run(screens.menu("PIN", [words]))
        assert f"1 {words}" in " ".join(drawn), f"as an item: {words}"
        drawn.clear()
        asyncio.run(screens.fault(999, words))
        assert words in " ".join(drawn), f"on a fault screen: {words}"
        if key in shown_as_title:
            drawn.clear()
            asyncio.run(screens.message(key, ["-"]))
            assert words in " ".join(drawn), f"as a title: {words}"
