"""ST7789 display at command level: what the chip would show, and a fault for what it would not.

Stricter than the part: an unknown command, a missing or spare parameter, a window off the panel,
half a pixel, pixels before the panel is awake and on, or a command inside a wait that the datasheet
(Sitronix ST7789VW, 9.1) asks for raises DisplayFault.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 240, 320

SWRESET, SLPIN, SLPOUT, NORON = 0x01, 0x10, 0x11, 0x13
INVOFF, INVON, DISPOFF, DISPON = 0x20, 0x21, 0x28, 0x29
CASET, RASET, RAMWR, MADCTL, COLMOD = 0x2A, 0x2B, 0x2C, 0x36, 0x3A
PARAMETERS = {
    **dict.fromkeys((SWRESET, SLPIN, SLPOUT, NORON, INVOFF, INVON, DISPOFF, DISPON, RAMWR), 0),
    **{CASET: 4, RASET: 4, MADCTL: 1, COLMOD: 1},
}


class DisplayFault(Exception):
    """The firmware sent what this display would not take."""


class ST7789Emulator:
    """SPI part (see kit.bus): `command(byte)`, `data(buf)`; `image()` is what a person sees.

    `clock` in seconds; `speed` divides the waits that the part asks for.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, speed: float = 1.0):
        self.clock = clock
        self.speed = speed
        self.lock = threading.Lock()
        self.fault: str | None = None
        self.frames = 0  # completed writes of a whole window
        self.power_cycle()

    def power_cycle(self) -> None:
        """The chip as it is after its supply came on: asleep, noise in its memory."""
        with self.lock:
            self.memory = np.full((HEIGHT, WIDTH), 0x5AA5, np.uint16)
            self.asleep = True
            self._defaults()
            self.ready_at = 0.0  # no command before this time
            self.wake_at = 0.0  # no SLPOUT before this time

    def command(self, byte: int) -> None:
        with self.lock:
            self._finish()
            if byte not in PARAMETERS:
                self._fail(f"unknown command {byte:02X}")
            now = self.clock()
            if now < self.ready_at:
                self._fail(f"command {byte:02X} while the display is still busy with the last")
            self.current, self.parameters = byte, bytearray()
            if byte == SWRESET:
                self._wait(0.005)
                # Reset while awake: the datasheet asks 120 ms before the next SLPOUT.
                self.wake_at = 0.0 if self.asleep else now + 0.120 / self.speed
                self.asleep = True
                self._defaults()
                self.current = byte
            elif byte == SLPOUT:
                if now < self.wake_at:
                    self._fail("SLPOUT within 120 ms of a reset")
                self.asleep = False
                self._wait(0.005)
            elif byte == SLPIN:
                self.asleep = True
                self._wait(0.005)
            elif byte in (DISPON, DISPOFF):
                self.on = byte == DISPON
            elif byte in (INVON, INVOFF):
                self.inverted = byte == INVON
            elif byte == RAMWR:
                if self.asleep or not self.on:
                    self._fail("pixels before SLPOUT and DISPON")
                if self.colmod != 0x55:
                    self._fail("pixels before COLMOD chose 16 bits")
                self.at = 0
                self.half: int | None = None

    def data(self, buf: bytes) -> None:
        with self.lock:
            if self.current == RAMWR:
                self._pixels(buf)
                return
            self.parameters += buf
            if self.current is None or len(self.parameters) > PARAMETERS[self.current]:
                self._fail("data that no command asked for")
            if len(self.parameters) == PARAMETERS[self.current]:
                self._take(self.current, bytes(self.parameters))

    def image(self) -> Image.Image:
        """The panel as a person sees it: black while it sleeps or is off."""
        with self.lock:
            pixels = self.memory.astype(np.uint32)
            if self.asleep or not self.on:
                pixels[:] = 0
            elif not self.inverted:  # an IPS panel shows true colours with inversion on
                pixels = 0xFFFF - pixels
        red, green, blue = pixels >> 11, pixels >> 5 & 63, pixels & 31
        rgb = np.stack((red * 255 // 31, green * 255 // 63, blue * 255 // 31), axis=-1)
        return Image.fromarray(rgb.astype(np.uint8), "RGB")

    def save_png(self, path: str | Path) -> None:
        self.image().save(path, "PNG")

    def _defaults(self) -> None:
        self.on = self.inverted = False
        self.colmod = 0x66
        self.columns, self.rows = (0, WIDTH - 1), (0, HEIGHT - 1)
        self.current: int | None = None
        self.parameters = bytearray()
        self.at = 0
        self.half = None

    def _wait(self, seconds: float) -> None:
        self.ready_at = self.clock() + seconds / self.speed

    def _finish(self) -> None:
        """The command before this one must be complete."""
        if self.current is None:
            return
        if len(self.parameters) < PARAMETERS[self.current]:
            self._fail(f"command {self.current:02X} lacks parameters")
        if self.current == RAMWR and self.half is not None:
            self._fail("half a pixel")

    def _take(self, command: int, parameters: bytes) -> None:
        if command in (CASET, RASET):
            first, last = int.from_bytes(parameters[:2]), int.from_bytes(parameters[2:])
            if not first <= last < (WIDTH if command == CASET else HEIGHT):
                self._fail(f"window {first}..{last} is off the panel")
            if command == CASET:
                self.columns = (first, last)
            else:
                self.rows = (first, last)
        elif command == COLMOD:
            self.colmod = parameters[0]
        elif command == MADCTL and parameters[0] != 0:
            self._fail("only MADCTL 00 (portrait, RGB) is known here")

    def _pixels(self, buf: bytes) -> None:
        """Fill the window row by row; past its end the chip goes on at its start."""
        if self.half is not None:
            buf = bytes([self.half]) + bytes(buf)
        self.half = buf[-1] if len(buf) & 1 else None
        pixels = np.frombuffer(buf, ">u2", len(buf) // 2)
        width = self.columns[1] - self.columns[0] + 1
        size = width * (self.rows[1] - self.rows[0] + 1)
        where = (self.at + np.arange(len(pixels))) % size
        self.memory[self.rows[0] + where // width, self.columns[0] + where % width] = pixels
        self.frames += (self.at + len(pixels)) // size
        self.at = (self.at + len(pixels)) % size

    def _fail(self, text: str) -> NoReturn:
        self.fault = text
        raise DisplayFault(text)
