"""What the provision commands share: option types, one-line faults, reports in text or JSON."""

import getpass
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from host_tools.provision import asking
from host_tools.provision.assignment import AssignmentError
from host_tools.provision.authority import AuthorityError
from host_tools.provision.boards import BoardError
from host_tools.provision.bundle import BundleError
from host_tools.provision.election import Election, ElectionError, load_election
from host_tools.provision.enrol import EnrolError
from host_tools.provision.fleet_schema import FleetError
from host_tools.provision.form_files import FormFileError
from host_tools.provision.keys import KeyFileError
from host_tools.provision.link import KitError, LinkError
from host_tools.provision.mirror import CannotMirror, MirrorError
from host_tools.provision.moments import MomentError
from host_tools.provision.package import PackageError
from host_tools.provision.papers import PaperError
from host_tools.provision.people import PeopleError
from host_tools.provision.pins import PinsError
from host_tools.provision.readiness import ReadinessError
from host_tools.provision.release_build import ReleaseError
from host_tools.provision.revocation import RevocationError
from host_tools.provision.roster import RosterError

WRONG, CANNOT = 1, 2
LONG = 1000  # packages below which nobody needs a progress bar
_WRONG = (
    AssignmentError,
    BundleError,
    ElectionError,
    FleetError,
    MirrorError,
    PackageError,
    PinsError,
    ReadinessError,
    ReleaseError,
    RevocationError,
    RosterError,
)
_CANNOT = (
    AuthorityError,
    BoardError,
    CannotMirror,
    EnrolError,
    FormFileError,
    KeyFileError,
    KitError,
    LinkError,
    MomentError,
    OSError,
    PaperError,
    PeopleError,
)

AsJson = Annotated[bool, typer.Option("--json", help="Report in JSON.")]
Folder = Annotated[Path, typer.Option("--authority", help="The authority's folder.")]
Region = Annotated[int, typer.Option(help="Region code, e.g. 1607 for Banyuasin.")]
Secret = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="File whose first line is the keys' passphrase."),
]
NoPassphrase = Annotated[
    bool, typer.Option("--no-passphrase", help="Leave the key open: for trying out only.")
]
ElectionFile = Annotated[Path, typer.Argument(help="election.toml, its CSV files beside it.")]
Training = Annotated[bool, typer.Option(help="The training election: number + 1000000.")]
Pinned = Annotated[Path, typer.Option("--signed-by", help="signing.cert.pem of the authority.")]
KitRegister = Annotated[
    Path, typer.Option("--register", help="The register of kits, e.g. kits.db.")
]
By = Annotated[str, typer.Option(help="Who does this, for the history; else the user's name.")]


@contextmanager
def faults() -> Iterator[None]:
    """Every expected fault ends in one line and its exit code, never in a traceback."""
    try:
        yield
    except (*_WRONG, *_CANNOT) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(WRONG if isinstance(error, _WRONG) else CANNOT) from error


def report(as_json: bool, facts: dict[str, Any], text: str) -> None:
    """Print `facts` as JSON, or `text` for people."""
    typer.echo(json.dumps(facts, indent=2) if as_json else text)


@contextmanager
def bar(what: str, total: int, shown: bool, least: int = LONG) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr for long work; the function given is told of n things more.

    `least`: things from which on the work is long.
    """
    if not shown or total < least:
        yield lambda n: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (what, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown_bar:
        task = shown_bar.add_task(what, total=total)
        yield lambda n: shown_bar.advance(task, n)


def read_passphrase(path: Path | None) -> bytes | None:
    """The first line of a passphrase file, None without one."""
    if path is None:
        return None
    lines = path.read_bytes().splitlines()
    if not lines or not lines[0]:
        raise KeyFileError(f"{path}: its first line holds no passphrase")
    return lines[0]


def new_passphrase(path: Path | None, without: bool, what: str) -> bytes | None:
    """The passphrase for a new key: of a file, typed twice, or None if that was said in words."""
    if path is not None and without:
        raise KeyFileError("give --passphrase-file or --no-passphrase, not both")
    if path is not None or without:
        return read_passphrase(path)
    typed = asking.ask_new(f"New passphrase for {what}")
    if typed is None:
        raise KeyFileError("give --passphrase-file, or --no-passphrase for trying out")
    return typed.encode()


def read_election(path: Path, training: bool) -> Election:
    """The checked election; its warnings go to stderr."""
    election = load_election(path)
    for warning in election.warnings:
        typer.echo(f"note: {warning}", err=True)
    return election.as_training() if training else election


def read_station(text: str) -> int:
    """A TPS's 13-digit code as a number."""
    if not (len(text) == 13 and text.isascii() and text.isdigit()):
        raise ElectionError(f"station {text} is not a 13-digit code")
    return int(text)


def who(by: str) -> str:
    """The name for the history: `by`, or the user's; a user without a name gives the number."""
    if by:
        return by
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
