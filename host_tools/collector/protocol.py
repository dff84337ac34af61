"""uvicorn's HTTP/1.1, with nothing that arrived thrown away when the sender hangs up.

uvicorn (0.54, h11_impl.py) tells the application of a disconnect at once and drops the part of the
body that was still waiting for it: up to 64 kB when the end of the connection comes right behind
the data. On a line that breaks every 20 kB that is most of what it brought. Here the body is handed
over first, the disconnect after it.

It also never closes a line on which nothing, or half a request, has come; and over TLS asyncio
waits 30 s for the goodbye of an idle line, even when the process is to stop. Here both are bounded.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from host_tools.collector import limits


class Cycle(RequestResponseCycle):
    """One request; `receive` is where the application gets the body."""

    async def receive(self) -> Any:
        """The next ASGI event: what is left of the body comes before the disconnect."""
        gone: Any = {"type": "http.disconnect"}
        event = gone if self.disconnected else await super().receive()
        if event["type"] == "http.disconnect" and self.body and not self.response_complete:
            body, self.body = bytes(self.body), bytearray()
            return {"type": "http.request", "body": body, "more_body": self.more_body}
        return event


class Protocol(H11Protocol):
    """For uvicorn's setting `http`. uvicorn makes the cycles itself and asks nobody which class."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """A line is open; over TLS, after its handshake, which asyncio ends after 60 s."""
        super().connection_made(transport)
        self._expect_a_request()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        super().data_received(data)
        self._expect_a_request()

    def _expect_a_request(self) -> None:
        """Between two requests uvicorn's own timer runs; start it where uvicorn does not."""
        if self.timeout_keep_alive_task or (self.cycle and not self.cycle.response_complete):
            return
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def timeout_keep_alive_handler(self) -> None:
        """No request has come for too long."""
        super().timeout_keep_alive_handler()
        self._hang_up()

    def shutdown(self) -> None:
        """The process is to stop: an idle line ends now, another after its reply."""
        super().shutdown()
        if self.transport.is_closing():
            self._hang_up()

    def _hang_up(self) -> None:
        self.loop.call_later(limits.GOODBYE_SECONDS, self.transport.abort)

    @property
    def cycle(self) -> Any:
        """The request that is being served."""
        return self._cycle

    @cycle.setter
    def cycle(self, cycle: RequestResponseCycle | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        if cycle is not None:
            cycle.__class__ = Cycle
        self._cycle = cycle
