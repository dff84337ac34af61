"""The tables, in plain SQL that PostgreSQL and SQLite both speak. Nothing in `entries` is rewritten
but `conflict`, a mark that points a reader to the table of conflicts, and the `manifest` (with what
it replaces and the claims that come with it) of a result that came without: filled in once."""

import sqlalchemy as sa

VERSION = 1

# SQLite counts up by itself only in a column declared INTEGER.
Counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")

metadata = sa.MetaData()

schema_version = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer))

entries = sa.Table(
    "entries",
    metadata,
    sa.Column("number", Counter, primary_key=True, autoincrement=True),  # order of arrival
    sa.Column("rec_id", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("kid", sa.LargeBinary(8), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("prev", sa.LargeBinary(32), nullable=False),
    sa.Column("kind", sa.Integer, nullable=False),
    sa.Column("election", sa.BigInteger, nullable=False),
    sa.Column("station", sa.BigInteger, nullable=False),
    sa.Column("contest", sa.BigInteger),  # null in an event
    sa.Column("replaces", sa.LargeBinary(32)),  # the record that a correction names
    sa.Column("time", sa.BigInteger, nullable=False),  # Unix seconds, the kit's clock
    sa.Column("received", sa.BigInteger, nullable=False),  # Unix seconds, the collector's clock
    sa.Column("entry", sa.LargeBinary, nullable=False),  # the signed bytes, as they came
    sa.Column("manifest", sa.LargeBinary),
    sa.Column("claims", sa.LargeBinary),  # CBOR [* C2PA claim signature], null when none came
    sa.Column("ack", sa.LargeBinary, nullable=False),
    sa.Column("conflict", sa.Boolean, nullable=False),
    sa.Index("entries_chain", "kid", "seq"),
    sa.Index("entries_place", "election", "station"),
)

# Photographs that an accepted entry names; only these may be uploaded.
pages = sa.Table(
    "pages",
    metadata,
    sa.Column("rec_id", sa.LargeBinary(32), sa.ForeignKey("entries.rec_id"), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),  # order in the entry, from 0
    sa.Column("page", sa.BigInteger),  # page number of the form, null for an incident
    sa.Column("digest", sa.LargeBinary(32), nullable=False, index=True),
    sa.Column("size", sa.BigInteger, nullable=False),  # bytes, as declared
)

certificates = sa.Table(
    "certificates",
    metadata,
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),  # SHA-256 of the DER
    sa.Column("kid", sa.LargeBinary(8), nullable=False, index=True),
    sa.Column("der", sa.LargeBinary, nullable=False),
)

# Two things of one kit that cannot both be right. Both are kept; people decide.
conflicts = sa.Table(
    "conflicts",
    metadata,
    sa.Column("number", Counter, primary_key=True, autoincrement=True),
    sa.Column("what", sa.String(16), nullable=False),  # "counter" or "chain"
    sa.Column("kid", sa.LargeBinary(8), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("rec_id", sa.LargeBinary(32), nullable=False),
    sa.Column("other", sa.LargeBinary(32), nullable=False),  # rec-id, or certificate digest
    sa.Column("noticed", sa.BigInteger, nullable=False),
)
