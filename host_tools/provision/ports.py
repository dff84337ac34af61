"""Opens the cable to a kit: a serial port, SSH to a Raspberry Pi, or TCP to a virtual kit."""

import socket

import serial

from host_tools.provision.link import Stream
from host_tools.provision.ssh import SCHEME, SshStream


class SocketStream:
    """A TCP connection with a serial port's read and write."""

    def __init__(self, host: str, port: int):
        self.socket = socket.create_connection((host, port), 10)
        self.socket.settimeout(0.1)

    def read(self, size: int = 1, /) -> bytes:
        try:
            return self.socket.recv(size)
        except TimeoutError:
            return b""

    def write(self, data: bytes, /) -> None:
        self.socket.sendall(data)


def is_serial(port: str) -> bool:
    """True for a serial port's name: behind it may be a bare board."""
    _, colon, number = port.rpartition(":")
    return not port.startswith(SCHEME) and not (colon and number.isdigit())


def open_port(port: str) -> Stream:
    """A serial port by name, ssh://user@host[:port], or a kit on the network by host:port."""
    if is_serial(port):
        return serial.Serial(port, 115200, timeout=0.1)
    if port.startswith(SCHEME):
        return SshStream(port)
    host, _, number = port.rpartition(":")
    return SocketStream(host, int(number))


def close_port(stream: Stream) -> None:
    """Let go of the cable, for another program to take it."""
    (stream.socket if isinstance(stream, SocketStream) else stream).close()  # type: ignore[attr-defined]
