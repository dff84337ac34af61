"""Whether an entry fits its neighbours in the kit's chain; what does not is kept and noted.

One counter value with two records proves that a key or a journal was copied. Which record is right
is for people to decide, so neither is refused.
"""

import sqlalchemy as sa

from host_tools.collector import schema

# (what, seq, rec-id, other): see the table of conflicts.
Found = tuple[str, int, bytes, bytes]


def _at(db: sa.Connection, kid: bytes, seq: int) -> list[tuple[bytes, bytes]]:
    """(rec-id, prev) of what is known at one place of a kit's journal, in order of arrival."""
    t = schema.entries
    query = sa.select(t.c.rec_id, t.c.prev).where(t.c.kid == kid, t.c.seq == seq)
    return [(rec_id, prev) for rec_id, prev in db.execute(query.order_by(t.c.number))]


def _certificates(db: sa.Connection, kid: bytes) -> list[bytes]:
    t = schema.certificates
    return list(db.scalars(sa.select(t.c.digest).where(t.c.kid == kid)))


def _before(db: sa.Connection, kid: bytes, seq: int) -> list[bytes]:
    """What `prev` may name: records one place before, or the kit's certificate for the first."""
    if seq == 1:
        return _certificates(db, kid)
    return [rec_id for rec_id, _ in _at(db, kid, seq - 1)]


def contradictions(
    db: sa.Connection, kid: bytes, seq: int, rec_id: bytes, prev: bytes
) -> list[Found]:
    """Compare a new entry with what is known beside it; entries come in any order."""
    here = [other for other, _ in _at(db, kid, seq)]
    found: list[Found] = [("counter", seq, rec_id, other) for other in here]
    before = _before(db, kid, seq)
    if before and prev not in before:
        found.append(("chain", seq, rec_id, before[0]))
    for later, its_prev in _at(db, kid, seq + 1):
        if its_prev != rec_id and its_prev not in here:
            found.append(("chain", seq + 1, later, rec_id))
    return found


def add_certificate(
    db: sa.Connection, kid: bytes, certificate: tuple[bytes, bytes], noticed: int
) -> None:
    """Keep a kit's certificate (SHA-256, DER); a first entry that names another is noted."""
    digest, der = certificate
    known = _certificates(db, kid)
    if digest in known:
        return
    db.execute(sa.insert(schema.certificates).values(digest=digest, kid=kid, der=der))
    first = _at(db, kid, 1)
    late = [rec_id for rec_id, prev in first if prev != digest and prev not in known]
    note(db, kid, [("chain", 1, rec_id, digest) for rec_id in late], noticed)


def note(db: sa.Connection, kid: bytes, found: list[Found], noticed: int) -> None:
    """Write contradictions down and mark the entries they concern."""
    for what, seq, rec_id, other in found:
        values = {"what": what, "kid": kid, "seq": seq, "rec_id": rec_id, "other": other}
        db.execute(sa.insert(schema.conflicts).values(**values, noticed=noticed))
        mark = sa.update(schema.entries).values(conflict=True)
        db.execute(mark.where(schema.entries.c.rec_id.in_([rec_id, other])))
