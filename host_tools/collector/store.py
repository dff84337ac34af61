"""Where accepted entries live: SQLite for entries, a folder for photographs.

Others in host_tools read from here (`entries`, `entry`, `photo_path`); only the collector writes.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from firmware import record
from host_tools.collector import chain, schema
from host_tools.collector.database import named_failures, open_sqlite, writing
from host_tools.collector.reasons import SetupError


@dataclass(frozen=True)
class Page:
    """A photograph that an entry names: page number (None: incident), SHA-256, size in bytes."""

    page: int | None
    digest: bytes
    size: int


@dataclass(frozen=True)
class NewEntry:
    """A checked entry on its way in."""

    rec_id: bytes
    kid: bytes
    seq: int
    prev: bytes
    kind: int
    election: int
    station: int
    contest: int | None
    replaces: bytes | None
    time: int
    entry: bytes
    manifest: bytes | None
    claims: bytes | None
    pages: Sequence[Page]
    certificate: tuple[bytes, bytes] | None  # SHA-256, DER


@dataclass(frozen=True)
class StoredEntry:
    """An accepted entry as it is kept. `number` is its order of arrival, from 1."""

    number: int
    rec_id: bytes
    kid: bytes
    seq: int
    prev: bytes
    kind: int
    election: int
    station: int
    contest: int | None
    replaces: bytes | None
    time: int
    received: int
    entry: bytes
    manifest: bytes | None
    claims: bytes | None
    ack: bytes
    conflict: bool


@dataclass(frozen=True)
class Conflict:
    """`what`: "counter" (one seq, two records) or "chain" (prev is not the neighbour before)."""

    what: str
    kid: bytes
    seq: int
    rec_id: bytes
    other: bytes
    noticed: int


class Store:
    """One collector's folder: `entries.sqlite` and `photos/`."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        self.photos = self.folder / "photos"
        try:
            self.photos.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(f"{self.folder}: cannot be used ({error.strerror})") from error
        self._engine = open_sqlite(self.folder / "entries.sqlite")
        self._writer = threading.Lock()  # waiting here is cheaper than polling SQLite's own lock

    def reachable(self) -> bool:
        """True when the database answers; raises Refused when it does not."""
        with named_failures(), self._engine.connect() as db:
            return db.scalar(sa.select(schema.schema_version.c.version)) == schema.VERSION

    def close(self) -> None:
        """Let go of the database file."""
        self._engine.dispose()

    def add(
        self, new: NewEntry, received: int, acknowledge: Callable[[bytes, int], bytes]
    ) -> tuple[StoredEntry, bool]:
        """Store `new` in one transaction: (entry as stored, True if it was not known before).

        On return it is on disk. `acknowledge(rec_id, received)` signs; it is asked once an entry.
        """
        with named_failures(), self._writer, writing(self._engine) as db:
            known = _one(db, new.rec_id)
            if known is not None:
                return known, False
            if new.certificate is not None:
                chain.add_certificate(db, new.kid, new.certificate, received)
            found = chain.contradictions(db, new.kid, new.seq, new.rec_id, new.prev)
            columns = {
                name: getattr(new, name)
                for name in NewEntry.__dataclass_fields__
                if name not in ("pages", "certificate")
            }
            ack = acknowledge(new.rec_id, received)
            db.execute(
                sa.insert(schema.entries).values(
                    **columns, received=received, ack=ack, conflict=bool(found)
                )
            )
            _add_pages(db, new.rec_id, new.pages)
            chain.note(db, new.kid, found, received)
            stored = _one(db, new.rec_id)
            assert stored is not None
            return stored, True

    def add_manifest(self, late: NewEntry, received: int) -> StoredEntry:
        """Give a stored result the manifest that it came without, once; the entry as stored then.

        In one transaction, with what else `late` brings: pages, certificate, and claims if there
        are none yet. On return it is on disk.
        """
        t = schema.entries
        missing = sa.and_(t.c.rec_id == late.rec_id, t.c.manifest.is_(None))
        claims = sa.func.coalesce(t.c.claims, late.claims)
        change = sa.update(t).where(missing)
        change = change.values(manifest=late.manifest, replaces=late.replaces, claims=claims)
        with named_failures(), self._writer, writing(self._engine) as db:
            if db.execute(change).rowcount:
                _add_pages(db, late.rec_id, late.pages)
                if late.certificate is not None:
                    chain.add_certificate(db, late.kid, late.certificate, received)
            stored = _one(db, late.rec_id)
            assert stored is not None
            return stored

    def entry(self, rec_id: bytes) -> StoredEntry | None:
        """The entry with this rec-id, or None."""
        with named_failures(), self._engine.connect() as db:
            return _one(db, rec_id)

    def entries(self, station: int | None = None, after: int = 0) -> Iterator[StoredEntry]:
        """Accepted entries in order of arrival, of one station or of all, from number `after` + 1.

        Read in batches: holds no lock and no table in memory while the caller works.
        """
        table = schema.entries
        query = sa.select(table).order_by(table.c.number).limit(500)
        if station is not None:
            query = query.where(table.c.station == station)
        while True:
            with named_failures(), self._engine.connect() as db:
                rows = db.execute(query.where(table.c.number > after)).all()
            for row in rows:
                yield StoredEntry(**row._mapping)
            if not rows:
                return
            after = rows[-1].number

    def pages(self, rec_id: bytes) -> list[Page]:
        """The photographs that this entry names, in its order."""
        table = schema.pages
        query = sa.select(table.c.page, table.c.digest, table.c.size)
        with named_failures(), self._engine.connect() as db:
            rows = db.execute(query.where(table.c.rec_id == rec_id).order_by(table.c.place))
            return [Page(*row) for row in rows]

    def declared_sizes(self, digest: bytes) -> frozenset[int]:
        """Sizes that accepted entries declare for this photograph; empty: nobody names it.

        More than one only if a kit lied about another's photograph; the right one gets through.
        """
        table = schema.pages
        with named_failures(), self._engine.connect() as db:
            query = sa.select(table.c.size).where(table.c.digest == digest)
            return frozenset(db.scalars(query))

    def conflicts(self) -> list[Conflict]:
        """Every contradiction noticed so far, oldest first."""
        table = schema.conflicts
        columns = [table.c[name] for name in Conflict.__dataclass_fields__]
        with named_failures(), self._engine.connect() as db:
            return [Conflict(*row) for row in db.execute(sa.select(*columns).order_by("number"))]

    def certificate(self, kid: bytes) -> bytes | None:
        """The kit's certificate (DER) if it ever came with an entry."""
        table = schema.certificates
        with named_failures(), self._engine.connect() as db:
            return db.scalar(sa.select(table.c.der).where(table.c.kid == kid).limit(1))

    def photo_file(self, digest: bytes) -> Path:
        """Where a photograph is kept once it is whole."""
        name = digest.hex()
        return self.photos / name[:2] / name

    def photo_path(self, digest: bytes) -> Path | None:
        """The photograph's file if all of it has come and its digest is right, else None."""
        path = self.photo_file(digest)
        return path if path.is_file() else None

    def complete(self, rec_id: bytes) -> bool:
        """True when every photograph that the entry names is stored."""
        entry = self.entry(rec_id)
        if entry is None or (entry.kind != record.EVENT and entry.manifest is None):
            return False  # nobody knows yet which photographs those are
        return all(self.photo_path(page.digest) is not None for page in self.pages(rec_id))


def _add_pages(db: sa.Connection, rec_id: bytes, pages: Sequence[Page]) -> None:
    for place, page in enumerate(pages):
        named = {"page": page.page, "digest": page.digest, "size": page.size}
        db.execute(sa.insert(schema.pages).values(rec_id=rec_id, place=place, **named))


def _one(db: sa.Connection, rec_id: bytes) -> StoredEntry | None:
    row = db.execute(sa.select(schema.entries).where(schema.entries.c.rec_id == rec_id)).first()
    return None if row is None else StoredEntry(**row._mapping)
