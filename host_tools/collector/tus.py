"""Resumable photographs over HTTP: tus 1.0 core and creation, profiled by record.md 8.4.

An upload's address is the photograph's SHA-256, so creating it twice changes nothing; it exists
only while an accepted entry names that digest. A 409 carries our offset (tus leaves it out, it
saves the kit a HEAD); 460 means that all bytes came and are not the photograph.
"""

import base64
import binascii
import re

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from host_tools.collector import limits
from host_tools.collector.reasons import Refused
from host_tools.collector.store import Store
from host_tools.collector.turns import Superseded
from host_tools.collector.uploads import OffsetMismatch, Uploads, WrongDigest
from host_tools.collector.web import digest_of, media_type, pieces, refusal

_VERSION = {"Tus-Resumable": "1.0.0"}
_ABILITIES = {
    **_VERSION,
    "Tus-Version": "1.0.0",
    "Tus-Extension": "creation",
    "Tus-Max-Size": str(limits.MAX_PHOTO),
}
_NUMBER = re.compile("[0-9]{1,15}")


class Tus:
    """The routes under /v1/u."""

    def __init__(self, store: Store, uploads: Uploads):
        self._store = store
        self._uploads = uploads

    def routes(self) -> list[Route]:
        return [
            Route("/v1/u", self._collection, methods=["POST", "OPTIONS"]),
            Route("/v1/u/{name}", self._upload, methods=["PATCH", "HEAD", "OPTIONS", "POST"]),
        ]

    async def _collection(self, request: Request) -> Response:
        return await self._dispatch(request, {"POST": self._create})

    async def _upload(self, request: Request) -> Response:
        return await self._dispatch(request, {"PATCH": self._append, "HEAD": self._where})

    async def _dispatch(self, request: Request, handlers: dict) -> Response:
        # tus 1.0: for clients whose surroundings know only GET and POST.
        method = request.headers.get("x-http-method-override", request.method).upper()
        if method == "OPTIONS":
            return Response(status_code=204, headers=_ABILITIES)
        try:
            if method not in handlers:
                raise Refused("method", f"{method[:16]!a} is not for this address.")
            if request.headers.get("tus-resumable") != "1.0.0":
                raise Refused("tus-version", "Send Tus-Resumable: 1.0.0.")
            response = await handlers[method](request)
        except Refused as error:
            response = refusal(request, error)
            if error.reason == "tus-version":
                response.headers["Tus-Version"] = "1.0.0"
        response.headers.update(_VERSION)
        return response

    async def _create(self, request: Request) -> Response:
        length = _number(request, "upload-length")
        digest = _declared_digest(request.headers.get("upload-metadata", ""))
        sizes = await run_in_threadpool(self._store.declared_sizes, digest)
        if not sizes:
            raise Refused("undeclared", "No accepted entry names this photograph; send it first.")
        if length not in sizes:
            raise Refused("tus-header", f"Its entry declares {max(sizes)} bytes, not {length}.")
        _check_length(length)
        return Response(status_code=201, headers={"Location": f"/v1/u/{digest.hex()}"})

    async def _where(self, request: Request) -> Response:
        digest, sizes = await self._known(request)
        offset = await self._uploads.offset(digest, sizes)
        stored = self._store.photo_path(digest) is not None
        headers = {
            "Upload-Offset": str(offset),
            "Upload-Length": str(offset if stored else max(sizes)),
            "Cache-Control": "no-store",
        }
        return Response(status_code=200, headers=headers)

    async def _append(self, request: Request) -> Response:
        if media_type(request) != "application/offset+octet-stream":
            raise Refused("media-type", "Bytes are sent as application/offset+octet-stream.")
        offset = _number(request, "upload-offset")
        digest, sizes = await self._known(request)
        end = offset + int(request.headers.get("content-length", 0))
        try:
            if end > max(sizes):
                await self._in_step(digest, sizes, offset)
                raise Refused("too-big", f"Its entry declares {max(sizes)} bytes, not {end}.")
            _check_length(end)
            offset = await self._uploads.append(digest, sizes, offset, pieces(request))
        except OffsetMismatch as error:
            return _elsewhere(error.offset)
        except Superseded:
            return _elsewhere(await self._uploads.offset(digest, sizes))
        except WrongDigest:
            text = "All bytes came but their SHA-256 is another; start again at 0.\n"
            return PlainTextResponse(text, 460, {"Upload-Offset": "0"})
        return Response(status_code=204, headers={"Upload-Offset": str(offset)})

    async def _in_step(self, digest: bytes, sizes: frozenset[int], offset: int) -> None:
        here = await self._uploads.offset(digest, sizes)
        if here != offset:
            raise OffsetMismatch(here)

    async def _known(self, request: Request) -> tuple[bytes, frozenset[int]]:
        digest = digest_of(request.path_params["name"])
        sizes = await run_in_threadpool(self._store.declared_sizes, digest)
        if not sizes:
            raise Refused("unknown", "No accepted entry names this photograph.")
        return digest, sizes


def _elsewhere(offset: int) -> Response:
    text = f"The photograph is at byte {offset}; go on from there.\n"
    return PlainTextResponse(text, 409, {"Upload-Offset": str(offset)})


def _number(request: Request, header: str) -> int:
    text = request.headers.get(header, "")
    if not _NUMBER.fullmatch(text):
        raise Refused("tus-header", f"The header {header.title()} must be a whole number.")
    return int(text)


def _check_length(length: int) -> None:
    if length > limits.MAX_PHOTO:
        raise Refused("too-big", f"A photograph is at most {limits.MAX_PHOTO} bytes.")


def _declared_digest(metadata: str) -> bytes:
    """The digest in Upload-Metadata: `sha256 <base64 of 64 hex digits>`, other keys ignored."""
    for pair in metadata.split(","):
        key, _, value = pair.strip().partition(" ")
        if key == "sha256":
            try:
                return digest_of(base64.b64decode(value, validate=True).decode("ascii"))
            except (binascii.Error, ValueError, Refused):
                break
    raise Refused("tus-header", "Upload-Metadata must carry sha256: 64 hex digits in Base64.")
