"""A camera whose every capture is another small photograph."""

from firmware import record

PAGE_BYTES = 1800


def jpeg(number):
    """A JPEG file by its structure (ITU-T T.81 annex B), other bytes for each `number`."""
    frame = b"\xff\xc0\x00\x0b\x08\x0c\xc0\x09\x90\x01\x01\x11\x00"
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
    block = record.sha256(b"photograph %d" % number).replace(b"\xff", b"\x7f")
    size = PAGE_BYTES + 97 * (number % 11)
    return b"\xff\xd8" + frame + scan + (block * (size // 32))[:size] + b"\xff\xd9"


class PhotoStream:
    """A photograph on its way from the camera."""

    def __init__(self, data, on_read):
        self.view = memoryview(data)
        self.size = len(data)
        self.at = 0
        self.on_read = on_read

    def readinto(self, buf):
        """Bytes put into `buf`; small pieces, as they come over a bus."""
        self.on_read(self.at)
        n = min(len(buf), 700, len(self.view) - self.at)
        buf[:n] = self.view[self.at : self.at + n]
        self.at += n
        return n

    def close(self):
        """Nothing to free."""


_W, _H = 48, 64
_SHEET = bytes([30 if (x // 8 + y // 8) % 2 else 225 for y in range(_H) for x in range(_W)])
_FOG = bytes([120] * (_W * _H))


class Camera:
    """Camera role: every capture is another picture; `bad` captures (ordinals) are fog."""

    def __init__(self, world, bad, on_read):
        self.world = world
        self.bad = bad
        self.on_read = on_read  # called with the place in the photograph, at every piece

    async def preview(self):
        """(w, h, gray)."""
        return _W, _H, _SHEET

    async def focus(self):
        """(w, h, gray) of what the next capture will be."""
        return _W, _H, _FOG if self.world.captures + 1 in self.bad else _SHEET

    async def capture(self):
        """A stream of JPEG."""
        self.world.captures += 1
        return PhotoStream(jpeg(self.world.captures), self.on_read)
