"""What the routes share: reading bodies within limits, and saying no in one sentence."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from host_tools.collector import limits
from host_tools.collector.reasons import Refused

_HEX_DIGEST = re.compile("[0-9a-f]{64}")
log = logging.getLogger("saksi.collector")


def media_type(request: Request) -> str:
    """The Content-Type without its parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def pieces(request: Request) -> AsyncIterator[bytes]:
    """The body as it arrives; Refused("idle") when the line stays silent."""
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(limits.IDLE_SECONDS):
                piece = await anext(stream, None)
        except TimeoutError:
            raise Refused("idle", "The line was silent for too long.") from None
        if piece is None:
            return
        if piece:
            yield piece


def digest_of(name: str) -> bytes:
    """The digest that an address names; Refused("unknown") for any other text."""
    if not _HEX_DIGEST.fullmatch(name):
        raise Refused("unknown", "This address names no SHA-256 in lower-case hex.")
    return bytes.fromhex(name)


async def short_body(request: Request) -> bytes:
    """A whole submission, never more than MAX_SUBMISSION."""
    too_big = Refused("too-big", f"A submission is at most {limits.MAX_SUBMISSION} bytes.")
    if int(request.headers.get("content-length", 0)) > limits.MAX_SUBMISSION:
        raise too_big
    body = bytearray()
    async for piece in pieces(request):
        body += piece
        if len(body) > limits.MAX_SUBMISSION:
            raise too_big
    return bytes(body)


def refusal(request: Request, error: Refused) -> Response:
    """The answer to what is not taken in: status, reason code, one sentence."""
    log.info("%s %s: %s", request.method, request.url.path, error)
    headers = {"Saksi-Reason": error.reason}
    if error.status >= 500:
        headers["Retry-After"] = str(limits.RETRY_SECONDS)
    if error.reason == "idle":
        headers["Connection"] = "close"
    return PlainTextResponse(error.sentence + "\n", error.status, headers)
