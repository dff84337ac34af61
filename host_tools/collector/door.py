"""The two ways into a collector for what did not come over a kit's line: its folder, its address.

Both take the same submissions and photographs and check the same; what comes back is the signed
acknowledgement.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple, Protocol

import httpx

from firmware import cbor, record
from host_tools.collector.intake import Intake
from host_tools.collector.reasons import Refused, SetupError
from host_tools.collector.store import Store
from host_tools.collector.turns import Superseded
from host_tools.collector.uploads import OffsetMismatch, Uploads, WrongDigest


class Taken(NamedTuple):
    """The answer to a submission: rec-id, whether it was new, offsets by digest, signed ack."""

    rec_id: bytes
    new: bool
    offsets: dict[bytes, int]
    ack: bytes


class Door(Protocol):
    """Raises Refused for what is not taken in, SetupError when the collector cannot be reached."""

    def submit(self, entry: bytes, manifest: bytes | None, certificate: bytes | None) -> Taken: ...

    def photo(self, digest: bytes, offset: int, pieces: Iterator[bytes]) -> None:
        """The photograph's bytes from `offset` on."""
        ...


class Local:
    """A collector's own folder, while no collector runs on it."""

    def __init__(self, intake: Intake, store: Store, uploads: Uploads):
        self._intake, self._store, self._uploads = intake, store, uploads

    def submit(self, entry: bytes, manifest: bytes | None, certificate: bytes | None) -> Taken:
        """Through the same checks as POST /v1/records."""
        outcome = self._intake.accept(cbor.encode([entry, manifest, certificate, []]))
        offsets = {}
        for page in outcome.pages:
            sizes = self._store.declared_sizes(page.digest)
            offsets[page.digest] = asyncio.run(self._uploads.offset(page.digest, sizes))
        stored = outcome.stored
        return Taken(stored.rec_id, outcome.new, offsets, stored.ack)

    def photo(self, digest: bytes, offset: int, pieces: Iterator[bytes]) -> None:
        """Through the same checks as PATCH."""
        sizes = self._store.declared_sizes(digest)

        async def body() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

        try:
            asyncio.run(self._uploads.append(digest, sizes, offset, body()))
        except (WrongDigest, OffsetMismatch, Superseded) as error:
            raise Refused("digest", "The photograph is not the one that was signed.") from error


class Remote:
    """A running collector at `url`, by the relay's own protocol (RECORD.md, section 10)."""

    def __init__(self, url: str):
        self._client = httpx.Client(base_url=url, timeout=60)

    def submit(self, entry: bytes, manifest: bytes | None, certificate: bytes | None) -> Taken:
        """POST /v1/records."""
        body = cbor.encode([entry, manifest, certificate, []])
        headers = {"Content-Type": "application/cbor"}
        reply = self._ask("POST", "/v1/records", content=body, headers=headers)
        try:
            answer: Any = cbor.decode(reply.content)
            rec_id, offsets, ack = answer
            if rec_id != record.rec_id(entry):
                raise ValueError("another record's")
            offsets = {bytes(digest): int(offset) for digest, offset in offsets}
        except (ValueError, TypeError) as error:
            raise SetupError(f"{self._client.base_url}: this is no collector") from error
        return Taken(rec_id, reply.status_code == 201, offsets, ack)

    def photo(self, digest: bytes, offset: int, pieces: Iterator[bytes]) -> None:
        """PATCH /v1/u/<digest>."""
        headers = {
            "Tus-Resumable": "1.0.0",
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
        }
        self._ask("PATCH", f"/v1/u/{digest.hex()}", content=pieces, headers=headers)

    def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            reply = self._client.request(method, path, **request)
        except httpx.HTTPError as error:
            raise SetupError(f"{self._client.base_url}: cannot be reached ({error})") from error
        if reply.status_code == 460:
            raise Refused("digest", "The photograph is not the one that was signed.")
        if reply.status_code >= 400:
            reason = reply.headers.get("Saksi-Reason", "storage")
            raise Refused(reason, reply.text.strip() or f"HTTP {reply.status_code}")
        return reply
