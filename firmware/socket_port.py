"""The technician's cable of a kit under Linux: a Unix socket with the shape of machine.UART.

Who is at the other end came over SSH or over a serial line (cable_relay). Several may be connected:
a connection that was cut may linger for minutes, and must not keep out the one that comes after it.
A line is taken from one of them alone, its answer goes back to that one. CPython only.
"""

import errno
import os
import socket

from firmware.compat import const, exists, ticks_diff, ticks_ms

PATH = "/run/saksi/cable"
_MOST = const(4)  # connections
_PATIENCE_MS = const(3000)  # for the rest of a line, and for a reader that does not read


class SocketPort:
    """Listens at `path`; its folder says who may connect (hardware/pi)."""

    def __init__(self, path=PATH):
        if exists(path):
            os.remove(path)  # of a kit that was killed
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(path)
        os.chmod(path, 0o660)
        self._socket.listen(_MOST)
        self._socket.setblocking(False)
        self._clients = []  # who waited longest comes first
        self._speaker = None  # whose line is under way, or was the last
        self._in_line = False
        self._since = 0

    def any(self):
        """1 when there may be something to read, else 0."""
        self._accept()
        for client in self._heard():
            try:
                client.recv(1, socket.MSG_PEEK)
                return 1
            except OSError as error:
                if error.errno != errno.EAGAIN:
                    return 1
        return 0

    def readinto(self, buf):
        """Bytes of one connection into `buf`: their number, None when there is nothing."""
        self._accept()
        for client in self._heard():
            try:
                count = client.recv_into(buf)
            except OSError as error:
                if error.errno == errno.EAGAIN:
                    continue
                count = 0
            if not count:
                self._drop(client)
                continue
            self._clients.remove(client)
            self._clients.append(client)
            self._speaker = client
            self._in_line = buf[count - 1] != 0x0A
            self._since = ticks_ms()
            return count
        return None

    def write(self, buf):
        """To whoever spoke last: the number of bytes taken, None when the pipe is full."""
        if self._speaker is None:
            return len(buf)  # as a UART without a cable
        try:
            count = self._speaker.send(buf)
            self._since = ticks_ms()
            return count
        except OSError as error:
            if error.errno == errno.EAGAIN and not self._is_late():
                return None
        self._drop(self._speaker)
        return len(buf)

    def close(self):
        """Nobody can connect any more."""
        self._socket.close()
        while self._clients:
            self._drop(self._clients[0])

    def _is_late(self):
        return ticks_diff(ticks_ms(), self._since) > _PATIENCE_MS

    def _heard(self):
        if self._speaker is not None and self._in_line and not self._is_late():
            return [self._speaker]
        return list(self._clients)

    def _accept(self):
        try:
            client = self._socket.accept()[0]
        except OSError:
            return
        client.setblocking(False)
        if len(self._clients) == _MOST:
            self._drop(self._clients[0])
        self._clients.append(client)

    def _drop(self, client):
        self._clients.remove(client)
        client.close()
        if client is self._speaker:
            self._speaker = None
