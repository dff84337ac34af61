"""The page's modules as one plain script, for pages opened from a stick.

A browser loads no ES modules from file://. Each module becomes a function whose result holds what
it exports; nothing else of it changes. Understands the forms that the page's modules use:
`import { a, b } from "./x.js";` and `export function|async function|class|const`.
"""

import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w/]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:function|class|const) ([\w$]+))", re.MULTILINE)


def flatten(folder: Path, main: str) -> str:
    """The script of module `main` (its name without .js) in `folder` with all that it imports."""
    written: dict[str, str] = {}
    _add(folder, main, written)
    return '"use strict";\n' + "\n".join(written.values())


def _add(folder: Path, name: str, written: dict[str, str]) -> None:
    if name in written:
        return
    written[name] = ""  # a module comes after what it imports; they import in no circle
    text = (folder / f"{name}.js").read_text()
    for _, other in _IMPORT.findall(text):
        _add(folder, other, written)
    body = _IMPORT.sub(lambda m: f"const {{{m[1]}}} = module_{m[2]};\n", text)
    exported = ", ".join(found for _, found in _EXPORT.findall(body))
    body = _EXPORT.sub(r"\1", body)
    if re.search(r"^(import|export)\b", body, re.MULTILINE):
        raise ValueError(f"{name}.js: an import or export in a form that is not understood")
    del written[name]
    written[name] = (
        f"const module_{name} = (function () {{\n{body}\nreturn {{ {exported} }};\n}})();\n"
    )
