"""A kit with a TPM on the bench: the firmware's enrolment behind the socket of its cable."""

import asyncio
import threading
from pathlib import Path

from firmware import serial_link
from firmware.enrol import Enrolment
from firmware.socket_port import SocketPort
from tests.tpm.conftest import Kit


class TpmKit(Kit):
    """Serves its cable at `cable` from `start()` to `stop()`, as the process on the Pi does.

    After START it serves on, as a kit does while its day goes by.
    """

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.signers = {"live": self.live, "training": self.training}
        self.clock: list[int] = []
        self.started = 0
        enrolment = Enrolment(
            str(folder), self.signers, self.setup, "pi", set_time=self.clock.append
        )
        self.handlers = enrolment.handlers()
        self.cable = folder / "cable"
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopped = threading.Event()
        port = SocketPort(str(self.cable))
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(port),), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self._stopped.set()
            self._thread.join()
            self._thread = None

    def close(self) -> None:
        self.stop()
        super().close()

    async def _serve(self, port: SocketPort) -> None:
        while not self._stopped.is_set():
            served = asyncio.create_task(serial_link.serve(port, self.handlers))
            while not served.done() and not self._stopped.is_set():
                await asyncio.sleep(0.01)
            self.started += served.done()
            served.cancel()
        port.close()
