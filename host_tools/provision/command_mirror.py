"""`saksi provision mirror`"""

from pathlib import Path
from typing import Annotated

import typer

from host_tools.provision import mirror as mirrors
from host_tools.provision.console import AsJson, faults, report


def mirror(
    folder: Annotated[Path, typer.Argument(help="The mirror's folder.")],
    *,
    index: Annotated[str | None, typer.Option(help="Another index than the lock file's.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Look at a filled folder.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch the MicroPython packages that boards are given, once, for places without internet.

    Every file is compared with firmware/mip.lock.json; without all of them there is no folder.
    """
    with faults():
        known, files = mirrors.read_lock()
        if not check:
            mirrors.fill(folder, index or known, files)
        mirrors.check(folder, files)
    facts = {
        "mirror": str(folder),
        "packages": {f.package: f.version for f in files},
        "files": {f.path: f.sha256 for f in files},
    }
    lines = [f"{f.package} {f.version}: {f.path}, {f.size:,} bytes, as locked" for f in files]
    report(as_json, facts, "\n".join(lines))
