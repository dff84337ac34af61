"""Camera emulator fed from files: what a camera role gives, from photographs on disk.

A frame for the screen and one for the quality gate are scaled from the file; a capture is the
file's bytes, unchanged. A cut, empty or foreign file is a camera fault: its frames are black.

On a link (service "camera") a request is one letter:
    b"P" -> u16 width, u16 height, grey bytes    the preview
    b"F" -> the same                             the focus frame
    b"C" -> u32 length, the file's bytes         the capture
A letter it does not know closes the link.
"""

import io
import socket
import struct
import threading
from pathlib import Path

import cv2
import numpy as np

PREVIEW_LONG = 160  # pixels on the long side: what the screen shows
FOCUS_LONG = 256  # what firmware.quality measures; 49 KB at 3:4
_CHUNK = 64 * 1024

Frame = tuple[int, int, bytes]  # width, height, one grey byte a pixel


class CameraEmulator:
    """Shows one photograph until the next is loaded; load() may come from another thread."""

    def __init__(self, *paths: str | Path):
        self._lock = threading.Lock()
        self._queue = [Path(path) for path in paths]
        self._path: Path | None = None
        self._gray: np.ndarray | None = None
        if self._queue:
            self.next()

    def load(self, path: str | Path) -> None:
        """Put this file before the lens; OSError when it cannot be read."""
        path = Path(path)
        data = path.read_bytes()
        gray = None
        if data:
            gray = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        with self._lock:
            self._path, self._gray = path, gray

    def next(self) -> Path:
        """Go on to the next of the files given at the start, round and round."""
        if not self._queue:
            raise ValueError("The camera emulator was given no files")
        path = self._queue.pop(0)
        self._queue.append(path)
        self.load(path)
        return path

    def preview(self) -> Frame:
        """The whole frame, 160 pixels on its long side."""
        return self._scaled(PREVIEW_LONG)

    def focus(self) -> Frame:
        """The whole frame, 256 pixels on its long side."""
        return self._scaled(FOCUS_LONG)

    def capture(self) -> "FileStream":
        """The file as a stream: readinto(buf) -> n, 0 at the end; close(). No file, no bytes."""
        with self._lock:
            return FileStream(self._path)

    def serve(self, sock: socket.socket) -> None:
        """Answer requests until the other side closes (a service of bus.LinkServer)."""
        while True:
            request = sock.recv(1)
            if request in (b"P", b"F"):
                width, height, gray = self.preview() if request == b"P" else self.focus()
                sock.sendall(struct.pack(">HH", width, height) + gray)
            elif request == b"C":
                self._send_capture(sock)
            else:
                return

    def _send_capture(self, sock: socket.socket) -> None:
        stream = self.capture()
        try:
            sock.sendall(struct.pack(">I", stream.size))
            buf = memoryview(bytearray(_CHUNK))
            while n := stream.readinto(buf):
                sock.sendall(buf[:n])
        finally:
            stream.close()

    def _scaled(self, long: int) -> Frame:
        with self._lock:
            gray = self._gray
        if gray is None:
            return long * 3 // 4, long, bytes(long * 3 // 4 * long)
        height, width = gray.shape
        scale = long / max(width, height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        return *size, cv2.resize(gray, size, interpolation=cv2.INTER_AREA).tobytes()


class FileStream:
    """A capture: the bytes of one file in order."""

    def __init__(self, path: Path | None):
        self._file = path.open("rb") if path else io.BytesIO()
        self.size = path.stat().st_size if path else 0

    def readinto(self, buf) -> int:
        """Fill buf, return how many bytes; 0 at the end."""
        return self._file.readinto(buf)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
