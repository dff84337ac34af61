"""Opens the database so that what is committed survives a power cut, and names its failures."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event, exc

from host_tools.collector import schema
from host_tools.collector.reasons import Refused, SetupError


def open_sqlite(path: Path) -> sa.Engine:
    """An engine on the SQLite file `path`, its tables made if new; raises SetupError."""
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    try:
        with writing(engine) as connection:
            schema.metadata.create_all(connection)
            found = connection.scalar(sa.select(schema.schema_version.c.version))
            if found is None:
                connection.execute(sa.insert(schema.schema_version).values(version=schema.VERSION))
    except exc.DBAPIError as error:
        raise SetupError(f"{path}: not a collector's database ({error.orig})") from error
    if found not in (None, schema.VERSION):
        raise SetupError(
            f"{path}: written by another version of saksi (schema {found}, this one has"
            f" {schema.VERSION}); start that version"
        )
    return engine


def _prepare(connection: sqlite3.Connection, _record) -> None:
    # Python's own transaction handling is off: it would begin too late for a lock to help.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    # A writer takes the lock at once: what it reads about neighbours stays true until it commits.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that writes; committed (and on disk) when the block ends well."""
    with engine.execution_options(writes=True).begin() as connection:
        yield connection


@contextmanager
def named_failures() -> Iterator[None]:
    """Turn the database's failures into Refused: `full`, or `storage` for all others."""
    try:
        yield
    except exc.DBAPIError as error:
        name = getattr(error.orig, "sqlite_errorname", "")
        if name == "SQLITE_FULL":
            raise Refused("full", "The collector's disk is full; try again later.") from error
        raise Refused("storage", "The collector cannot write just now; try again later.") from error
