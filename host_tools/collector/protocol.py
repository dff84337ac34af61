"""uvicorn's HTTP/1.1, with nothing that arrived thrown away when the sender hangs up.

uvicorn (0.54, h11_impl.py) tells the application of a disconnect at once and drops the part of the
body that was still waiting for it: up to 64 kB when the end of the connection comes right behind
the data. On a line that breaks every 20 kB that is most of what it brought. Here the body is handed
over first, the disconnect after it.
"""

from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle


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

    @property
    def cycle(self) -> Any:
        """The request that is being served."""
        return self._cycle

    @cycle.setter
    def cycle(self, cycle: RequestResponseCycle | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        if cycle is not None:
            cycle.__class__ = Cycle
        self._cycle = cycle
