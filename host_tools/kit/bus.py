"""Buses between the firmware's drivers and the emulated parts.

`Local*` adapters have the shape of MicroPython's `machine` classes and work in one process (driver
tests). `LinkServer` offers the same parts to another process (the MicroPython kit) over loopback:
one TCP connection a bus, its first line names the bus; then

    i2c   'W' addr u16 bytes -> 'A' | 'N'        'R' addr u16 -> 'A' bytes | 'N'
    spi   dc u16 bytes (no reply)
    uart  raw bytes both ways
    other raw, handed to the service that registered the name
"""

import errno
import socket
import struct
import threading
from collections.abc import Callable
from typing import Protocol


class I2CPart(Protocol):
    address: int

    def wake(self) -> None: ...
    def write(self, data: bytes) -> bool: ...
    def read(self, n: int) -> bytes | None: ...


class UartPart(Protocol):
    send: Callable[[bytes], None]

    def receive(self, data: bytes) -> None: ...
    def tick(self) -> None: ...


class SpiPart(Protocol):
    def command(self, byte: int) -> None: ...
    def data(self, buf: bytes) -> None: ...


class I2CBus:
    """Parts on one I2C bus; a write to address 0 is the long low pulse that wakes sleepers."""

    def __init__(self, *parts: I2CPart):
        self.parts = {part.address: part for part in parts}

    def write(self, address: int, data: bytes) -> bool:
        if address == 0:
            for part in self.parts.values():
                part.wake()
            return False
        part = self.parts.get(address)
        return part.write(data) if part else False

    def read(self, address: int, n: int) -> bytes | None:
        part = self.parts.get(address)
        return part.read(n) if part else None


class LocalI2C:
    """machine.I2C's shape on an I2CBus in this process."""

    def __init__(self, bus: I2CBus):
        self.bus = bus

    def writeto(self, addr, buf):
        if not self.bus.write(addr, bytes(buf)):
            raise OSError(errno.ENODEV)

    def readfrom_into(self, addr, buf):
        data = self.bus.read(addr, len(buf))
        if data is None:
            raise OSError(errno.ENODEV)
        buf[:] = data


class LocalUART:
    """machine.UART's shape on a UART part in this process."""

    def __init__(self, part: UartPart):
        self.part = part
        self.inbox = bytearray()
        part.send = self.inbox.extend

    def write(self, buf):
        self.part.receive(bytes(buf))
        return len(buf)

    def any(self):
        self.part.tick()
        return len(self.inbox)

    def readinto(self, buf):
        self.part.tick()
        n = min(len(buf), len(self.inbox))
        if n == 0:
            return None
        buf[:n] = self.inbox[:n]
        del self.inbox[:n]
        return n


class LocalPin:
    """machine.Pin's shape: call with a value to set, without to read."""

    def __init__(self, value: int = 1):
        self.level = value

    def __call__(self, value=None):
        if value is None:
            return self.level
        self.level = value


class LocalSPI:
    """machine.SPI's shape on an SPI part; the part sees the D/C pin with every write."""

    def __init__(self, part: SpiPart, dc: LocalPin):
        self.part = part
        self.dc = dc

    def write(self, buf):
        if self.dc():
            self.part.data(bytes(buf))
        else:
            for byte in bytes(buf):
                self.part.command(byte)


Service = Callable[[socket.socket], None]


def _exactly(sock: socket.socket, n: int) -> bytes:
    data = b""
    while len(data) < n:
        chunk = sock.recv(n - len(data))
        if not chunk:
            raise EOFError
        data += chunk
    return data


class LinkServer:
    """Serves buses to the kit's process on 127.0.0.1; `port` is chosen by the system."""

    def __init__(self):
        self.services: dict[str, Service] = {}
        self.faults: list[str] = []  # what a part was asked that it would not take
        self.threads: list[threading.Thread] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def add_i2c(self, name: str, bus: I2CBus) -> None:
        self.services[name] = lambda sock: self._i2c(sock, bus)

    def add_spi(self, name: str, part: SpiPart) -> None:
        self.services[name] = lambda sock: self._spi(sock, part)

    def add_uart(self, name: str, part: UartPart) -> None:
        self.services[name] = lambda sock: self._uart(sock, part)

    def close(self) -> None:
        self.closed = True
        self.listener.close()

    def _accept(self) -> None:
        while not self.closed:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def drain(self, timeout: float = 5.0) -> None:
        """Wait until the parts have taken the last bytes of a kit that has ended."""
        threads, self.threads = self.threads, []
        for thread in threads:
            thread.join(timeout)

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            name = b""
            while not name.endswith(b"\n"):
                byte = sock.recv(1)
                if not byte:
                    return
                name += byte
            try:
                self.services[name.decode().strip()](sock)
            except (EOFError, ConnectionError):
                return
            except Exception as error:  # a part that was driven wrongly falls silent and says why
                self.faults.append(f"{name.decode().strip()}: {error}")

    @staticmethod
    def _i2c(sock: socket.socket, bus: I2CBus) -> None:
        while True:
            op, address, size = struct.unpack(">cBH", _exactly(sock, 4))
            if op == b"W":
                sock.sendall(b"A" if bus.write(address, _exactly(sock, size)) else b"N")
            else:
                data = bus.read(address, size)
                sock.sendall(b"N" if data is None else b"A" + data)

    @staticmethod
    def _spi(sock: socket.socket, part: SpiPart) -> None:
        while True:
            dc, size = struct.unpack(">BH", _exactly(sock, 3))
            data = _exactly(sock, size)
            if dc:
                part.data(data)
            else:
                for byte in data:
                    part.command(byte)

    @staticmethod
    def _uart(sock: socket.socket, part: UartPart) -> None:
        part.send = sock.sendall
        sock.settimeout(0.005)
        while True:
            try:
                data = sock.recv(4096)
                if not data:
                    return
                part.receive(data)
            except TimeoutError:
                pass
            part.tick()
