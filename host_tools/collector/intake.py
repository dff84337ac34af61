"""Checks one submission from first byte to last and decides: new, known or refused.

The order is that of record.md 8.2: frame, header, low-S, shape (firmware.record), key, signature,
kind, mode, election, station, certificate, then what hangs on the entry. Nothing is stored before
all of it held; then all of it is, in one transaction.

A result may come without its manifest: scanned from a receipt, or in a short message. Its figures
count from then on; the manifest is taken when the kit or its card brings it, and opens the uploads.
What else that submission carries is checked and kept as if it had come at first.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from firmware import cbor, record
from host_tools.collector.ack import Acknowledger
from host_tools.collector.limits import MAX_NUMBER
from host_tools.collector.reasons import Refused
from host_tools.collector.store import NewEntry, Page, Store, StoredEntry
from host_tools.collector.trust import Trust

_FROM_KITS = (record.RESULT, record.CORRECTION, record.EVENT)
_REASON_OF = {
    record.BAD_FRAME: "framing",
    record.BAD_HEADER: "header",
    record.HIGH_S: "high-s",
    record.BAD_SHAPE: "shape",
    record.BAD_MANIFEST: "manifest",
}


@dataclass(frozen=True)
class Outcome:
    """An accepted submission: the entry as stored, whether it was new, its photographs."""

    stored: StoredEntry
    new: bool
    pages: list[Page]


class Intake:
    """The rules, with what they need: who may sign, where to store, who acknowledges."""

    def __init__(
        self,
        trust: Trust,
        store: Store,
        acknowledger: Acknowledger,
        clock: Callable[[], float] = time.time,
    ):
        self._trust = trust
        self._store = store
        self._acknowledger = acknowledger
        self._clock = clock

    def accept(self, body: bytes) -> Outcome:
        """Take in one submission (CBOR); raises Refused. On return it is on disk."""
        data, manifest, certificate, claims = _open(body)
        # The same entry sent again gets the same answer, whatever was revoked in between.
        known = self._store.entry(record.rec_id(data))
        if known is not None and (manifest is None or known.manifest is not None):
            return Outcome(known, False, self._store.pages(known.rec_id))
        entry = _parse(data)
        if known is None:
            self._trust.check(entry)
        if certificate is not None:
            self._trust.check_certificate(certificate, entry.kid)
        new = _describe(entry, manifest, certificate, claims)
        moment = int(self._clock())
        if known is not None:
            return Outcome(self._store.add_manifest(new, moment), False, list(new.pages))
        stored, is_new = self._store.add(new, moment, self._acknowledger.sign)
        return Outcome(stored, is_new, list(new.pages))


def _open(body: bytes) -> tuple[bytes, bytes | None, bytes | None, list[bytes]]:
    """The four parts of a submission."""
    try:
        parts: Any = cbor.decode(body)
    except cbor.CborError as error:
        raise Refused("submission", f"The body is not a submission: {error}.") from error
    if not (isinstance(parts, list) and len(parts) == 4):
        raise Refused("submission", "The body is not a submission of four parts.")
    data, manifest, certificate, claims = parts
    optional = all(part is None or isinstance(part, bytes) for part in (manifest, certificate))
    listed = isinstance(claims, list) and all(isinstance(claim, bytes) for claim in claims)
    if not (isinstance(data, bytes) and optional and listed):
        raise Refused("submission", "A part of the submission is not of its type.")
    return data, manifest, certificate, claims


def _parse(data: bytes) -> record.Entry:
    try:
        return record.parse(data)
    except record.RecordError as error:
        reason = _REASON_OF.get(error.code, "shape")
        if reason == "shape" and _strange_kind(data):
            reason = "kind"
        raise Refused(reason, f"{error.text}.") from error


def _strange_kind(data: bytes) -> bool:
    """True when the shape is wrong because the kind is none that kits sign."""
    frame: Any = cbor.decode(data)
    payload: Any = cbor.decode(frame.value[2])
    return bool(isinstance(payload, list) and payload and payload[0] not in _FROM_KITS)


def _describe(
    entry: record.Entry, manifest: bytes | None, certificate: bytes | None, claims: list[bytes]
) -> NewEntry:
    """What is stored of an entry whose signature holds; raises Refused for what hangs on it."""
    payload = entry.payload
    statement = entry.kind != record.EVENT
    if not statement:
        pages, replaces = _event_pages(payload), None
        if manifest is not None:
            raise Refused("manifest", "An event has no manifest; send null.")
    elif manifest is None:
        pages, replaces = [], None
    else:
        pages, replaces = _manifest(entry, manifest)
    numbers = [n for n in payload if isinstance(n, int)]
    numbers += [n for page in pages for n in (page.page or 0, page.size)]
    if max(numbers) > MAX_NUMBER:
        raise Refused("shape", "A number is larger than any real one.")
    return NewEntry(
        rec_id=entry.rec_id,
        kid=entry.kid,
        seq=entry.seq,
        prev=entry.prev,
        kind=entry.kind,
        election=payload[1],
        station=payload[2],
        contest=payload[3] if statement else None,
        replaces=replaces,
        time=entry.time,
        entry=entry.data,
        manifest=manifest,
        claims=cbor.encode(claims) if claims else None,
        pages=pages,
        certificate=None if certificate is None else (_sha256(certificate), certificate),
    )


def _manifest(entry: record.Entry, manifest: bytes) -> tuple[list[Page], bytes | None]:
    """(pages, rec-id replaced or None) of a result's or correction's manifest."""
    if _sha256(manifest) != entry.payload[6]:
        raise Refused("manifest", "The manifest is not the one that the entry signs.")
    try:
        listed, extra = record.parse_manifest(manifest)
    except record.RecordError as error:
        raise Refused("manifest", f"{error.text}.") from error
    replaces = extra.get(record.REPLACES)
    if entry.kind == record.CORRECTION and not _is_digest(replaces):
        raise Refused("correction", "A correction must name the record that it replaces.")
    pages = [Page(number, digest, size) for number, digest, size in listed]
    return pages, replaces if _is_digest(replaces) else None


def _event_pages(payload: list) -> list[Page]:
    """The photograph that a page or incident event names."""
    event, detail = payload[3:5]
    if event == record.PAGE:
        if len(detail) != 5 or not all(_is_uint(detail[i]) for i in (0, 1, 3, 4)):
            raise Refused("shape", "A page event is contest, page, digest, size, form.")
        number, digest, size = detail[1:4]
    elif event == record.INCIDENT:
        if len(detail) != 4 or not _is_uint(detail[2]):
            raise Refused("shape", "An incident is kind, digest or null, size, text.")
        number, digest, size = None, detail[1], detail[2]
        if digest is None:
            return []
    else:
        return []
    if not _is_digest(digest):
        raise Refused("shape", "A photograph is named by its SHA-256, 32 bytes.")
    return [Page(number, digest, size)]


def _is_uint(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_digest(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == 32


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
