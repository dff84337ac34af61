"""What rp2040py 0.3.6 leaves out of the RP2040 and our firmware needs. See README, "Emulator".

Registers and behaviour: RP2040 datasheet 4.2 (UART, Arm PL011) and 4.1 (USB).
"""

from typing import Any

from rp2040py.peripherals.i2c import R_TX_EMPTY
from rp2040py.peripherals.uart import RPUART, UARTDR, UARTICR

RX, TX, TIMEOUT = 1 << 4, 1 << 5, 1 << 6  # UARTRIS
UARTIFLS = 0x34
LEVELS = (4, 8, 16, 24, 28)  # of the 32 bytes, RXIFLSEL
IDLE_BITS = 32
BASES = (0x40034, 0x40038)


class Uart(RPUART):
    """A PL011 whose interrupts end: level and time-out for reception, one per byte sent.

    The original's transmit interrupt never clears, so machine.UART hangs in its handler; it knows
    neither UARTIFLS nor the time-out, without which network.PPP hears nothing.
    """

    def __init__(self, mcu: Any, number: int):
        old = mcu.uart[number]
        super().__init__(mcu, old.name, old.irq, old.dreq)
        self.level = 16
        self.lost = 0  # bytes that found the FIFO full
        self._idle = mcu.clock.create_alarm(self._idle_over)
        mcu.uart[number] = self
        mcu.peripherals[BASES[number]] = self

    def check_interrupts(self) -> None:
        active = self._interrupt_status & self._interrupt_mask
        self.rp2040.set_interrupt(self.irq, bool(active))

    def feed_byte(self, value: int) -> None:
        if self.rx_fifo.full:
            self.lost += 1
            return
        self.rx_fifo.push(value)
        if self.rx_fifo.item_count >= self.level:
            self._interrupt_status |= RX
        self._wait_idle()
        self.check_interrupts()

    def _wait_idle(self) -> None:
        self._idle.schedule(IDLE_BITS * 1e9 / max(self.baud_rate, 300))

    def _idle_over(self) -> None:
        if not self.rx_fifo.empty:
            self._interrupt_status |= TIMEOUT
            self.check_interrupts()

    def read_uint32(self, offset: int) -> int:
        if offset == UARTIFLS:
            return LEVELS.index(self.level) << 3
        if offset != UARTDR:
            return super().read_uint32(offset)
        value = self.rx_fifo.pull()
        if self.rx_fifo.item_count < self.level:
            self._interrupt_status &= ~RX
        if self.rx_fifo.empty:
            self._interrupt_status &= ~TIMEOUT
        else:
            self._wait_idle()
        self.check_interrupts()
        return value

    def write_uint32(self, offset: int, value: int) -> None:
        if offset == UARTIFLS:
            self.level = LEVELS[min(value >> 3 & 7, 4)]
        elif offset == UARTICR:
            self._interrupt_status &= ~self.raw_write_value
            self.check_interrupts()
        else:
            super().write_uint32(offset, value)
            if offset == UARTDR:  # it is gone at once, so the FIFO is empty again
                self._interrupt_status |= TX
                self.check_interrupts()


class I2cAbort:
    """Tells the firmware at once that nobody acknowledged: the aborted FIFO is empty.

    The original does not raise TX_EMPTY then, so the firmware waits for its time-out of 50 ms and
    takes the abort for one of the next transfer.
    """

    def __init__(self, bus: Any):
        self.bus = bus
        self.abort = bus._abort
        bus._abort = self._both

    def _both(self, reason: int) -> None:
        self.abort(reason)
        self.bus._set_interrupts(R_TX_EMPTY)


class QuietUsb:
    """Makes the emulated USB host answer the device's reads only when it has something to say.

    The original answers each with nothing, at once and for ever: the core never sleeps, and all
    runs ten times slower.
    """

    def __init__(self, device: Any):
        self.cdc = device.cdc
        self.answer = device.mcu.usb_ctrl.on_endpoint_read
        self.push = self.cdc.send_serial_byte
        self.asked: int | None = None
        self.alarm = device.simulator.clock.create_alarm(self._due)
        device.mcu.usb_ctrl.on_endpoint_read = self._read
        self.cdc.send_serial_byte = self._send

    def _read(self, endpoint: int, size: int) -> None:
        if endpoint == self.cdc._out_endpoint and self.cdc.tx_fifo.empty:
            self.asked = size
        else:
            self.answer(endpoint, size)

    def _send(self, byte: int) -> None:
        self.push(byte)
        self.alarm.schedule(50_000)

    def _due(self) -> None:
        if self.asked is not None and not self.cdc.tx_fifo.empty:
            size, self.asked = self.asked, None
            self.answer(self.cdc._out_endpoint, size)

    def forget(self) -> None:
        """The device was reset: what it asked before is void."""
        self.asked = None
