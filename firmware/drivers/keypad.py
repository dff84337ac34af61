"""4x4 key matrix: one event a press, debounced, without ghosts.

Rows are open-drain outputs (0 pulls low, 1 lets go), columns inputs with pull-up. Between scans
every row is low, so one look at the columns tells whether anything is down at all.
"""

from firmware.drivers import const, sleep_ms, ticks_diff, ticks_ms

LAYOUT = (
    ("1", "2", "3", "FOTO"),
    ("4", "5", "6", "OK"),
    ("7", "8", "9", "HAPUS"),
    ("NAIK", "0", "TURUN", "CETAK"),
)
DEBOUNCE_MS = const(20)
LONG_MS = const(1000)
LONG = {"HAPUS": "HAPUS_LAMA"}  # key -> what a long press of it is called


class Keypad:
    """`rows` and `cols`: callable pins as in machine.Pin; `layout`: a tuple of key names a row.

    `names` are all of them in the layout's order.
    """

    def __init__(self, rows, cols, layout=LAYOUT, clock=ticks_ms):
        self._rows = rows
        self._cols = cols
        self.names = [name for row in layout for name in row]
        self._clock = clock
        self._raw = self._stable = 0  # bit i = key i of the layout is down
        self._since = clock()
        self._disabled = None
        self._waiting = None  # a key whose name depends on how long it is held
        self._pressed_at = 0
        self._events = []
        for row in rows:
            row(0)

    def read(self):
        """The next key event, or None; never waits. Call it every 10 ms or so."""
        raw = self._scan()
        now = self._clock()
        if self._ghost(raw):
            raw = self._raw
        if self._disabled:
            raw &= ~self._disabled
        if raw != self._raw:
            self._raw = raw
            self._since = now
        elif raw != self._stable and ticks_diff(now, self._since) >= DEBOUNCE_MS:
            self._change(raw, now)
        if self._waiting is not None and ticks_diff(now, self._pressed_at) >= LONG_MS:
            self._events.append(LONG[self.names[self._waiting]])
            self._waiting = None
        return self._events.pop(0) if self._events else None

    def stuck(self):
        """Names of the keys found down when first asked (at boot); they stay disabled."""
        if self._disabled is None:
            down = self._scan()
            sleep_ms(DEBOUNCE_MS)
            self._disabled = down & self._scan()
        return [n for i, n in enumerate(self.names) if self._disabled >> i & 1]

    def _change(self, raw, now):
        new = raw & ~self._stable
        self._stable = raw
        if self._waiting is not None and not raw >> self._waiting & 1:
            self._events.append(self.names[self._waiting])
            self._waiting = None
        # Two keys that came down together have no known order: 12 or 21? Neither is reported.
        if new and not new & (new - 1):
            index = 0
            while not new >> index & 1:
                index += 1
            if self.names[index] in LONG:
                self._waiting = index
                self._pressed_at = now
            else:
                self._events.append(self.names[index])

    def _scan(self):
        for col in self._cols:
            if not col():
                break
        else:
            return 0
        for row in self._rows:
            row(1)
        down = 0
        bit = 1
        for row in self._rows:
            row(0)
            for col in self._cols:
                if not col():
                    down |= bit
                bit <<= 1
            row(1)
        for row in self._rows:
            row(0)
        return down

    def _ghost(self, down):
        """True when two rows share two columns: three such keys make the fourth look pressed."""
        width = len(self._cols)
        mask = (1 << width) - 1
        rows = [down >> (i * width) & mask for i in range(len(self._rows))] if down else ()
        for i in range(len(rows)):
            for j in range(i):
                shared = rows[i] & rows[j]
                if shared & (shared - 1):
                    return True
        return False
