"""Is a stream of bytes a whole JPEG photograph, and how large is the picture? (ITU-T T.81, annex B)

Checks the structure while the photograph passes by to be hashed: the start, every segment up to the
frame header, and that an end marker follows the picture. Nothing is decoded and nothing is kept but
one byte between chunks, so a file of any size costs the same memory.
"""

from firmware.compat import const

_SOI = const(0xD8)
_EOI = const(0xD9)
_SOS = const(0xDA)
_TEM = const(0x01)
# Start-of-frame markers; C4, C8 and CC in their middle are tables.
_FRAMES = b"\xc0\xc1\xc2\xc3\xc5\xc6\xc7\xc9\xca\xcb\xcd\xce\xcf"

_START = const(0)  # the two bytes of SOI
_MARKER = const(1)  # a marker's FF, its fill bytes and its code
_LENGTH = const(2)  # a segment's two length bytes
_FRAME = const(3)  # inside a frame header: precision, height, width
_SKIP = const(4)  # inside any other segment
_PICTURE = const(5)  # entropy-coded data: wait for EOI
_DONE = const(6)  # the picture ended; what phones append is not looked at

EMPTY = "Photograph is empty"
NOT_JPEG = "Not a JPEG photograph"
CUT_OFF = "Photograph is cut off"


class JpegCheck:
    """Feed the photograph's bytes in order with feed(), then ask finish()."""

    def __init__(self):
        self.width = 0
        self.height = 0
        self._state = _START
        self._seen = 0  # bytes of the present state already taken
        self._left = 0  # bytes of the present segment still to come
        self._frame = False  # this segment is a frame header
        self._scan = False  # this segment is a scan header: the picture follows
        self._value = 0
        self._last_ff = False  # the previous chunk of the picture ended in FF

    def feed(self, chunk):
        """Take the next bytes (bytes, bytearray or memoryview). Raises ValueError: NOT_JPEG."""
        at = 0
        size = len(chunk)
        while at < size:
            if self._state == _PICTURE:
                self._find_end(bytes(chunk[at:]))
                return
            if self._state == _DONE:
                return
            if self._state == _SKIP:
                step = min(self._left, size - at)
                at += step
                self._left -= step
                self._end_segment()
            else:
                self._byte(chunk[at])
                at += 1

    def finish(self):
        """(width, height) in pixels of a whole photograph.

        Raises ValueError with one sentence: EMPTY, NOT_JPEG or CUT_OFF.
        """
        if self._state == _START and self._seen == 0:
            raise ValueError(EMPTY)
        if self._state != _DONE:
            raise ValueError(CUT_OFF)
        return self.width, self.height

    def _byte(self, byte):
        state = self._state
        if state == _START:
            if byte != (0xFF, _SOI)[self._seen]:
                raise ValueError(NOT_JPEG)
            self._seen += 1
            if self._seen == 2:
                self._enter(_MARKER)
        elif state == _MARKER:
            self._marker(byte)
        elif state == _LENGTH:
            self._value = self._value << 8 | byte
            self._seen += 1
            if self._seen == 2:
                self._left = self._value - 2
                if self._left < (5 if self._frame else 0):
                    raise ValueError(NOT_JPEG)
                self._enter(_FRAME if self._frame else _SKIP)
                self._end_segment()
        else:
            self._frame_byte(byte)

    def _marker(self, byte):
        if self._seen == 0:
            if byte != 0xFF:
                raise ValueError(NOT_JPEG)
            self._seen = 1
        elif byte == 0xFF:
            return  # fill byte
        elif byte == _TEM:
            self._seen = 0
        elif byte < 0xC0 or 0xD0 <= byte <= _EOI:
            # Codes before C0, restart markers, a second start, or an end with no picture.
            raise ValueError(NOT_JPEG)
        else:
            self._frame = byte in _FRAMES
            self._scan = byte == _SOS
            if self._scan and not self.width:
                raise ValueError(NOT_JPEG)
            self._enter(_LENGTH)

    def _frame_byte(self, byte):
        self._value = self._value << 8 | byte
        self._seen += 1
        self._left -= 1
        if self._seen == 5:
            self.height = self._value >> 16 & 0xFFFF
            self.width = self._value & 0xFFFF
            # A height of 0 (given later by DNL) is legal but no camera writes it.
            if not self.width or not self.height:
                raise ValueError(NOT_JPEG)
            self._enter(_SKIP)
            self._end_segment()

    def _end_segment(self):
        if self._state == _SKIP and self._left == 0:
            self._enter(_PICTURE if self._scan else _MARKER)

    def _enter(self, state):
        self._state = state
        self._seen = 0
        self._value = 0

    def _find_end(self, data):
        # Within entropy-coded data FF is always followed by 00 or a restart marker, and what stands
        # between the scans of a progressive picture holds no FF D9 in practice: find() is enough.
        if (self._last_ff and data[0] == _EOI) or data.find(b"\xff\xd9") >= 0:
            self._state = _DONE
        self._last_ff = data[-1] == 0xFF
