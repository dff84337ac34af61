"""What an ESC/POS printer sends back, told apart byte by byte.

0xx1xx10          answer to DLE EOT, at once
0xx0xxxx          answer to GS r or ESC v, in its turn: bits 0C paper out, 03 near its end
37 … 00           block: 22 and the four bytes of a confirmed name (GS ( H)

Anything else is noise on the line and is passed over: it proves nothing.
"""


class Replies:
    """Sorts the bytes of `uart`; call poll() to take in what has come."""

    def __init__(self, uart):
        self._uart = uart
        self._byte = bytearray(1)
        self._block = None
        self.clear()

    def clear(self):
        """Forget everything that has come so far."""
        while self._uart.any() and self._uart.readinto(self._byte):
            pass
        self._block = None
        self.at_once = None  # last answer to DLE EOT
        self.in_turn = 0  # answers to status requests, counted
        self.paper = 0  # the last of them
        self.out = False  # one of them told of no paper
        self.confirmed = []  # names confirmed and not yet taken

    def poll(self):
        """Take in all waiting bytes."""
        while self._uart.any() and self._uart.readinto(self._byte):
            value = self._byte[0]
            if self._block is not None:
                if value == 0:
                    if len(self._block) == 5 and self._block[0] == 0x22:
                        self.confirmed.append(bytes(self._block[1:]))
                    self._block = None
                elif len(self._block) < 8:
                    self._block.append(value)
                else:
                    self._block = None
            elif value == 0x37:
                self._block = bytearray()
            elif value & 0x93 == 0x12:
                self.at_once = value
            elif value & 0x90 == 0:
                self.in_turn += 1
                self.paper = value
                self.out = self.out or value & 0x0C != 0
