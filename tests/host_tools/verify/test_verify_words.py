"""Every sentence of a report has its Indonesian, and none is left over."""

import ast
import json
from pathlib import Path

import host_tools
from host_tools.verify.show import TITLES
from host_tools.verify.words import FOLDER, words

PACKAGE = FOLDER.parent
ADDERS = {"ok", "fail", "warn", "skip", "add"}
TABLE = json.loads((FOLDER / "id.json").read_text())


def strings(node: ast.AST) -> set[str]:
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and type(n.value) is str}


def calls(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node


def test_every_sentence_of_a_report_is_translated():
    missing = set()
    for path in PACKAGE.glob("*.py"):
        known = strings(ast.parse(path.read_text()))
        for node in calls(path):
            if node.func.attr in ADDERS and len(node.args) >= 2:
                text = node.args[2] if node.func.attr == "add" else node.args[1]
                if isinstance(text, ast.Constant) and text.value not in TABLE:
                    missing.add(text.value)
        # Sentences that reach a report through a name begin with a capital and hold a space.
        missing |= {s for s in known if looks_like_a_sentence(s) and s not in {**KIT, **TABLE}}
    assert missing == set()


KIT = json.loads((Path(host_tools.__file__).parents[1] / "firmware/words/id.json").read_text())


def looks_like_a_sentence(text: str) -> bool:
    return text[:1].isupper() and "%" in text and " " in text and "\n" not in text


def test_no_translation_is_left_over():
    known = set().union(*(strings(ast.parse(p.read_text())) for p in PACKAGE.glob("*.py")))
    assert set(TABLE) - known == set()


def test_a_translation_takes_the_same_values():
    for english, indonesian in TABLE.items():
        places = [part[:1] for part in english.replace("%013d", "%d").split("%")[1:]]
        assert places == [p[:1] for p in indonesian.replace("%013d", "%d").split("%")[1:]], english


def test_every_check_has_its_two_names():
    names = set()
    for path in PACKAGE.glob("*.py"):
        for node in calls(path):
            first = node.args[0] if node.args else None
            if node.func.attr in ADDERS and len(node.args) >= 2 and isinstance(first, ast.Constant):
                names.add(first.value)
    assert names <= set(TITLES) and len(names) > 20


def test_what_has_no_translation_stays_english_and_the_kits_words_come_second():
    assert words("id")("no such sentence") == "no such sentence"
    assert words("en")("All sums agree") == "All sums agree"
    assert words("id")("All sums agree") == "Semua jumlah cocok"
