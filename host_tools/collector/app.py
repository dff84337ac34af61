"""The collector's addresses: HTTP in, HTTP out. What is decided is decided in intake and uploads.

POST  /v1/records          a submission      -> 201 new | 200 known, [rec-id, offsets, ack]
GET   /v1/records/<hex>    accepted | complete
*     /v1/u, /v1/u/<hex>   photographs, see tus.py
GET   /v1/photos/<hex>     a stored photograph, the original bytes
GET   /healthz             ok, or 503 when it cannot take in anything
"""

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from firmware import cbor
from host_tools.collector.durable import free_bytes
from host_tools.collector.intake import Intake, Outcome
from host_tools.collector.reasons import Refused
from host_tools.collector.store import Store
from host_tools.collector.tus import Tus
from host_tools.collector.uploads import Uploads
from host_tools.collector.web import digest_of, media_type, refusal, short_body


def make_app(intake: Intake, store: Store, uploads: Uploads, reserve: int = 0) -> Starlette:
    """The ASGI application over ready parts. `reserve`: free bytes below which it is unwell."""
    records = _Records(intake, store, uploads)
    tus = Tus(store, uploads)

    async def health(_request: Request) -> Response:
        room = await run_in_threadpool(lambda: store.reachable() and free_bytes(store.folder))
        if room > reserve:
            return PlainTextResponse("ok\n")
        return PlainTextResponse("The disk is nearly full.\n", 503)

    return Starlette(
        routes=[
            Route("/v1/records", records.submit, methods=["POST"]),
            Route("/v1/records/{name}", records.state, methods=["GET"]),
            Route("/v1/photos/{name}", records.photo, methods=["GET"]),
            Route("/healthz", health, methods=["GET"]),
            *tus.routes(),
        ],
        # The verification page may be served from anywhere: a submission carries its own proof.
        middleware=[
            Middleware(
                CORSMiddleware,
                allow_origins=["*"],
                allow_methods=["GET", "POST"],
                allow_headers=["Content-Type"],
            )
        ],
        exception_handlers={
            Refused: _refused,
            ClientDisconnect: _nobody_there,
        },
    )


class _Records:
    def __init__(self, intake: Intake, store: Store, uploads: Uploads):
        self._intake = intake
        self._store = store
        self._uploads = uploads

    async def submit(self, request: Request) -> Response:
        if media_type(request) != "application/cbor":
            raise Refused("media-type", "A submission is sent as application/cbor.")
        outcome = await run_in_threadpool(self._intake.accept, await short_body(request))
        stored = outcome.stored
        reply = cbor.encode([stored.rec_id, await self._offsets(outcome), stored.ack])
        headers = {"Saksi-Conflict": str(stored.seq)} if stored.conflict else {}
        status = 201 if outcome.new else 200
        return Response(reply, status, headers, media_type="application/cbor")

    async def _offsets(self, outcome: Outcome) -> list[list]:
        """[[digest, offset]…], each photograph once, in the entry's order."""
        offsets = []
        for digest in dict.fromkeys(page.digest for page in outcome.pages):
            sizes = await run_in_threadpool(self._store.declared_sizes, digest)
            offsets.append([digest, await self._uploads.offset(digest, sizes)])
        return offsets

    async def state(self, request: Request) -> Response:
        rec_id = digest_of(request.path_params["name"])
        if await run_in_threadpool(self._store.entry, rec_id) is None:
            raise Refused("unknown", "No accepted entry has this rec-id.")
        complete = await run_in_threadpool(self._store.complete, rec_id)
        return PlainTextResponse("complete" if complete else "accepted")

    async def photo(self, request: Request) -> Response:
        path = self._store.photo_path(digest_of(request.path_params["name"]))
        if path is None:
            raise Refused("unknown", "No photograph with this digest is stored.")
        # Bytes of a stranger: a browser must not guess that they are anything but a picture.
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "public, max-age=31536000, immutable",
        }
        return FileResponse(path, media_type="image/jpeg", headers=headers)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return refusal(request, error)


async def _nobody_there(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)  # nobody reads it; the server wants an answer for its books
