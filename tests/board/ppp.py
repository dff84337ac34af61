"""The network's end of a PPP dial-up, no root needed: LCP and IPCP on the kit's bytes.

A bearer of the emulated modem (host_tools.kit.modem_link.Bearer). RFC 1661 (LCP), 1662 (framing),
1332 (IPCP), 1877 (name servers). The IP packets go to `network` (tests.board.network).
"""

import struct
from collections.abc import Callable

from tests.board.network import Network

FLAG, ESCAPE, FLIP = 0x7E, 0x7D, 0x20
LCP, IPCP, IP = 0xC021, 0x8021, 0x0021
REQUEST, ACK, NAK, REJECT, END, END_ACK, _, PROTOCOL_REJECT, ECHO, ECHO_REPLY = range(1, 11)
LCP_KNOWN = {1, 2, 5, 7, 8}  # MRU, control character map, magic number, two compressions
ADDRESS = 3
NAME_SERVERS = (129, 131)
AGAIN = 3.0  # s after which an unanswered request is sent again


def checksum(data: bytes) -> int:
    """FCS-16 (RFC 1662, appendix C)."""
    fcs = 0xFFFF
    for byte in data:
        fcs ^= byte
        for _bit in range(8):
            fcs = fcs >> 1 ^ (0x8408 if fcs & 1 else 0)
    return fcs ^ 0xFFFF


def frame(protocol: int, body: bytes) -> bytes:
    """One frame on the line; all control characters are escaped."""
    data = b"\xff\x03" + struct.pack(">H", protocol) + body
    data += struct.pack("<H", checksum(data))
    out = bytearray([FLAG])
    for byte in data:
        if byte < 0x20 or byte in (FLAG, ESCAPE):
            out += bytes([ESCAPE, byte ^ FLIP])
        else:
            out.append(byte)
    out.append(FLAG)
    return bytes(out)


def options(data: bytes) -> list[tuple[int, bytes]]:
    """[(type, value)…] of a configuration packet."""
    found = []
    while len(data) >= 2 and 2 <= data[1] <= len(data):
        found.append((data[0], data[2 : data[1]]))
        data = data[data[1] :]
    return found


def pack(chosen: list[tuple[int, bytes]]) -> bytes:
    return b"".join(bytes([kind, len(value) + 2]) + value for kind, value in chosen)


class PppPeer:
    """Callable: takes what the kit sent, gives what it gets. `clock`: seconds."""

    def __init__(self, network: Network, clock: Callable[[], float]):
        self.network = network
        self.clock = clock
        self.bad = 0  # frames with a wrong checksum
        self.seen: list[str] = []  # what happened, for the test
        self._close()

    def _close(self) -> None:
        self.out = b""
        self.taken = bytearray()
        self.escaped = False
        self.opened = {LCP: False, IPCP: False}  # our request is acknowledged
        self.asked_at = {LCP: -AGAIN, IPCP: -AGAIN}
        self.peer_ready = {LCP: False, IPCP: False}  # theirs is
        self.started = False

    def __call__(self, data: bytes) -> bytes:
        for byte in data:
            self._byte(byte)
        if self.started:
            self._ask()
            if self.up:
                for packet in self.network.poll():
                    self._send(IP, packet)
        out, self.out = self.out, b""
        return out

    @property
    def up(self) -> bool:
        """True when IP packets may go both ways."""
        return self.opened[IPCP] and self.peer_ready[IPCP]

    def _byte(self, byte: int) -> None:
        if byte == FLAG:
            whole, self.taken = bytes(self.taken), bytearray()
            if len(whole) > 4:
                self._frame(whole)
        elif byte == ESCAPE:
            self.escaped = True
        else:
            self.taken.append(byte ^ FLIP if self.escaped else byte)
            self.escaped = False

    def _frame(self, data: bytes) -> None:
        if checksum(data[:-2]) != struct.unpack("<H", data[-2:])[0]:
            self.bad += 1
            return
        body = data[:-2].removeprefix(b"\xff\x03")
        size = 1 if body[0] & 1 else 2  # protocol field compression
        protocol, body = int.from_bytes(body[:size], "big"), body[size:]
        self.started = True
        if protocol in (LCP, IPCP):
            code, number, length = struct.unpack(">BBH", body[:4])
            self._control(protocol, code, number, body[4:length])
        elif protocol == IP and self.up:
            self.network.receive(body)
        elif protocol != IP:
            rejected = struct.pack(">BBHH", PROTOCOL_REJECT, 1, 6 + len(body), protocol) + body
            self._send(LCP, rejected)

    def _send(self, protocol: int, body: bytes) -> None:
        self.out += frame(protocol, body)

    def _reply(self, protocol: int, code: int, number: int, body: bytes) -> None:
        self._send(protocol, struct.pack(">BBH", code, number, 4 + len(body)) + body)

    def _ask(self) -> None:
        for protocol in (LCP, IPCP):
            late = self.clock() - self.asked_at[protocol] >= AGAIN
            if not self.opened[protocol] and late:
                self.asked_at[protocol] = self.clock()
                ours = [(ADDRESS, self.network.gateway)] if protocol == IPCP else [(2, bytes(4))]
                self._reply(protocol, REQUEST, 1, pack(ours))
            if not (self.opened[protocol] and self.peer_ready[protocol]):
                return  # IPCP begins when LCP is through

    def _control(self, protocol: int, code: int, number: int, body: bytes) -> None:
        if code == REQUEST:
            self._judge(protocol, number, options(body))
        elif code == ACK:
            self.opened[protocol] = True
        elif code == END:
            self._reply(protocol, END_ACK, number, b"")
            self.seen.append("closed")
            rest = self.out
            self._close()
            self.out = rest
        elif code == ECHO:
            self._reply(protocol, ECHO_REPLY, number, bytes(4) + body[4:])

    def _judge(self, protocol: int, number: int, wanted: list[tuple[int, bytes]]) -> None:
        if protocol == LCP:
            right = {}
            known = LCP_KNOWN
        else:
            right = {ADDRESS: self.network.guest}
            right |= dict.fromkeys(NAME_SERVERS, self.network.gateway)
            known = set(right)
        unknown = [option for option in wanted if option[0] not in known]
        wrong = [(kind, right[kind]) for kind, value in wanted if right.get(kind, value) != value]
        if unknown:
            self._reply(protocol, REJECT, number, pack(unknown))
        elif wrong:
            self._reply(protocol, NAK, number, pack(wrong))
        else:
            self._reply(protocol, ACK, number, pack(wanted))
            self.peer_ready[protocol] = True
            self.seen.append("LCP" if protocol == LCP else "IPCP")
