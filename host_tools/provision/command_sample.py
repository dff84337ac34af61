"""`saksi provision sample ...`"""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from host_tools.provision import sample as samples
from host_tools.provision.console import AsJson, faults, report
from host_tools.provision.election import ElectionError

app = typer.Typer(no_args_is_help=True, help="Sample elections to try everything with.")


@app.command("list")
def sample_list(as_json: AsJson = False) -> None:
    """Name the sample elections."""
    with faults():
        loaded = {name: samples.load(name) for name in samples.NAMES}
    facts = {
        name: {"number": e.number, "title": e.title, "stations": len(e.stations)}
        for name, e in loaded.items()
    }
    lines = [f"{name}: {e.title}, {len(e.stations)} stations" for name, e in loaded.items()]
    report(as_json, facts, "\n".join(lines))


@app.command("copy")
def sample_copy(
    out: Annotated[Path, typer.Argument(help="A new folder.")], as_json: AsJson = False
) -> None:
    """Copy the sample elections' files, to start your own from."""
    with faults():
        if out.exists():
            raise ElectionError(f"{out}: exists; give a new folder")
        skip = shutil.ignore_patterns("__init__.py", "__pycache__")
        shutil.copytree(samples.FOLDER, out, ignore=skip)
    report(as_json, {"folder": str(out)}, f"{out}: edit election.toml and the CSV files in it")
