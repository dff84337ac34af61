"""Writes firmware/TABLES.md from the code: error codes, settings. `python -m host_tools.tables`

A code is a module constant of 100 to 999 in firmware/; its sentences are found where the constant
is used: in a dict of sentences, or beside it in the call that makes the error.
"""

import ast
from pathlib import Path

from firmware.settings import TABLE

ROOT = Path(__file__).parent.parent
FIRMWARE = ROOT / "firmware"
OUTPUT = FIRMWARE / "TABLES.md"
GROUPS = {
    1: "security chip",
    2: "printer",
    3: "modem and relay",
    4: "camera",
    5: "keys",
    6: "screen",
    7: "journal, card, flash",
    8: "records, enrolment, cable",
    9: "the day",
}
# Codes whose sentence comes from elsewhere: the file of the code, and what is said.
OTHERS = {
    401: ("capture.py", "Photograph is empty / Not a JPEG photograph / Photograph is cut off"),
    834: ("serial_link.py", "The kit failed: and how"),
    999: ("main.py", "A fault that nobody foresaw: its name, in English"),
}


def _constant(node: ast.expr) -> int | None:
    """The number of `const(n)` or `n`, if it can be an error code."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "const":
        node = node.args[0]
    if isinstance(node, ast.Constant) and type(node.value) is int and 100 <= node.value <= 999:
        return node.value
    return None


def _sentence(node: ast.expr | None, names: dict[str, str]) -> str | None:
    """The text of a string, of the left side of %, or of a variable that holds one."""
    if isinstance(node, ast.BinOp):
        node = node.left
    if isinstance(node, ast.Call) and node.args:
        node = node.args[0]
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def codes() -> dict[int, tuple[str, list[str]]]:
    """{code: (file, [sentence…])}; ValueError when two files use one code."""
    found: dict[int, tuple[str, list[str]]] = {}
    for path in sorted(FIRMWARE.rglob("*.py")):
        name = str(path.relative_to(FIRMWARE))
        tree = ast.parse(path.read_text())
        for code, sentences in _of_file(tree).items():
            if code in found:
                raise ValueError(f"E{code} is used in {found[code][0]} and in {name}")
            found[code] = (name, sentences)
    for code, (name, said) in OTHERS.items():
        found[code] = (name, [said])
    return dict(sorted(found.items()))


def _of_file(tree: ast.Module) -> dict[int, list[str]]:
    numbers: dict[str, int] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            number = _constant(node.value)
            name = node.targets[0].id
            if number is not None and name.isupper() and not name.startswith("_"):
                numbers[name] = number
    sentences: dict[str, list[str]] = {name: [] for name in numbers}
    texts: dict[str, str] = {}  # what each variable holds at this point of the file
    nodes = [node for node in ast.walk(tree) if hasattr(node, "lineno")]
    for node in sorted(nodes, key=lambda n: (n.lineno, n.col_offset)):  # type: ignore[attr-defined]
        pairs: list = []
        if isinstance(node, ast.Assign):
            target = node.targets[0]
            text = _sentence(node.value, {})
            if isinstance(target, ast.Name) and text:
                texts[target.id] = text
            if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Name) and text:
                sentences.get(target.slice.id, []).append(text)
        if isinstance(node, ast.Dict):
            pairs = list(zip(node.keys, node.values, strict=True))
        elif isinstance(node, ast.Call) and len(node.args) >= 2:
            pairs = [(node.args[0], node.args[1])]
        for key, value in pairs:
            if isinstance(key, ast.Name) and key.id in sentences:
                text = _sentence(value, texts)
                if text and text not in sentences[key.id]:
                    sentences[key.id].append(text)
    return {numbers[name]: said for name, said in sentences.items() if said}


def render() -> str:
    """The whole of TABLES.md."""
    lines = [
        "# Tables",
        "",
        "Made from the code by `python -m host_tools.tables`; a test compares.",
        "",
        "## Error codes",
        "What the kit shows as E and a number, and what it says with it.",
        "",
        "| code | part | sentence | file |",
        "|---|---|---|---|",
    ]
    for code, (name, sentences) in codes().items():
        said = " / ".join(sentence.strip() for sentence in sentences)
        lines.append(f"| {code} | {GROUPS[code // 100]} | {said} | {name} |")
    lines += [
        "",
        "## Settings",
        "Kept on the kit's flash; a value out of range is not used, the default is.",
        "",
        "| setting | default | allowed | help |",
        "|---|---|---|---|",
    ]
    for name, default, choices, text in TABLE:
        allowed = (
            f"{choices.start} to {choices.stop - 1}"
            if isinstance(choices, range)
            else ", ".join(choices)
        )
        lines.append(f"| {name} | {default} | {allowed} | {text} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    OUTPUT.write_text(render())
