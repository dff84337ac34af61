"""Runs on the board: the modem dials, PPP and TLS come up, and the relay sends what is on flash."""

import gc
import time

import network
from machine import RTC, UART, Pin

from firmware import record
from firmware.drivers import ticks_diff, ticks_ms
from firmware.drivers.modem_at import Modem
from firmware.drivers.uplink import PppUplink
from firmware.photos import Photos
from firmware.relay import Relay
from firmware.saved import Saved
from firmware.tls_stream import TlsError, open_tls

gc.threshold(8192)  # as the kit: what stays is laid close together, and TLS finds its 16 kB
times = []
start = ticks_ms()


def mark(what):
    """Remember when `what` was reached, and the free memory."""
    gc.collect()
    times.append(f"{what} {ticks_diff(ticks_ms(), start)} {gc.mem_free()}")


class Sender:
    """The kit's relay over PPP; `signer` verifies the collector's acknowledgement."""

    def __init__(self, made, signer, host, port, pin, collector_key, certificate):
        self.made = made
        self.signer = signer
        self.host = host
        self.port = port
        self.pin = pin
        self.collector_key = collector_key
        self.certificate = certificate
        self.uart = UART(0, 115200, tx=Pin(0), rx=Pin(1), rxbuf=4096, txbuf=512)
        self.log = []
        self.modem = Modem(self.uart, "internet", log=self.log.append)
        self.uplink = PppUplink(self.modem, network.PPP(self.uart))
        self.acks = []

    async def dial(self):
        """Modem, PPP, clock."""
        await self.uplink.up()
        mark("ppp")
        now = time.gmtime(await self.uplink.time())
        RTC().datetime((now[0], now[1], now[2], now[6], now[3], now[4], now[5], 0))

    async def open_stream(self):
        """TLS to the collector, by its name."""
        stream = await self.uplink.open_tcp(self.host, self.port)
        mark("tcp")
        secure = await open_tls(stream, self.host, self.pin, time.time())
        mark("tls")
        return secure

    def verify_ack(self, data, rec_id):
        """True when the collector's signature holds, says the chip."""
        ack = record.parse(data)
        kid = record.kid_of(self.collector_key)
        known = ack.kind == record.ACK and ack.kid == kid and ack.payload[1] == rec_id
        return known and self.signer.verify(self.collector_key, ack.signed_digest(), ack.signature)

    def on_ack(self, seq, data):
        """As firmware.main: the acknowledgement goes into the journal."""
        self.made.event(record.ACKNOWLEDGED, [data])
        self.acks.append((seq, data.hex()))

    async def refuse(self):
        """The code with which a server with another key is refused."""
        pin, self.pin = self.pin, bytes(32)
        try:
            await self.open_stream()
        except TlsError as error:
            return error.code
        finally:
            self.pin = pin

    async def send(self):
        """Dial, send everything, hang up."""
        await self.dial()
        print(await self.refuse())
        relay = Relay(
            self.open_stream,
            self.made.journal,
            Photos("/photos"),
            self.verify_ack,
            Saved("/relay"),
            self.host,
            self.certificate,
            self.on_ack,
            lambda seq, text: self.log.append(f"refused {seq} {text}"),
        )
        done = await relay.round()
        mark("sent")
        await relay.client.close()
        await self.uplink.hang_up()
        signal = await self.modem.signal()
        status = relay.status
        print(done, status.waiting, status.sent, status.refused, signal, status.last_error)
        print("|".join(times))
        print("|".join(self.log))
        for seq, ack in self.acks:
            print(seq, ack)
