"""The internet behind the dial-up, in this process: a name server, and TCP that ends here.

Each TCP connection of the kit goes on as a real one to a loopback address. The line to the kit
keeps the order but may lose bytes (a full UART), so both directions repeat what is not
acknowledged. RFC 791, 768, 9293, 1035.
"""

import socket
import struct
from collections.abc import Callable, Mapping

TCP, UDP = 6, 17
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MOST = 1024  # bytes of a segment toward the kit
AGAIN = 3.0  # s until what is not acknowledged is sent again
WORD = 0xFFFFFFFF
START = 1000  # our first sequence number


def internet_sum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def ip_packet(protocol: int, source: bytes, target: bytes, body: bytes) -> bytes:
    def head(check: int) -> bytes:
        size = 20 + len(body)
        return struct.pack(">BBHHHBBH", 0x45, 0, size, 0, 0, 64, protocol, check) + source + target

    return head(internet_sum(head(0))) + body


def behind(a: int, b: int) -> int:
    """How far sequence number `a` is behind `b`, negative when it is ahead."""
    return (b - a + 0x80000000 & WORD) - 0x80000000


class Flow:
    """One TCP connection: the kit's on one side, a socket to a loopback address on the other."""

    def __init__(self, network: "Network", key: tuple[bytes, bytes, int, int], start: int):
        self.network = network
        self.key = key  # kit's address, server's address, kit's port, server's port
        self.expected = start + 1 & WORD
        self.acknowledged = self.sent = START + 1
        self.waiting = b""  # from `acknowledged` on
        self.window = 512
        self.since = network.clock()
        self.ended = False  # the server has closed
        self.told_end = False  # and the kit was told
        self.sock = socket.create_connection(network.hosts[(key[1], key[3])], timeout=10)
        self.established = False
        self._greet()

    def _greet(self) -> None:
        self._say(SYN | ACK, START, struct.pack(">BBH", 2, 4, MOST))

    def _say(self, flags: int, number: int, choices: bytes = b"", body: bytes = b"") -> None:
        kit, server, kit_port, server_port = self.key
        offset = (5 + len(choices) // 4) << 4

        def segment(check: int) -> bytes:
            head = struct.pack(
                ">HHIIBBHHH",
                *(server_port, kit_port, number, self.expected),
                *(offset, flags, 8192, check, 0),
            )
            return head + choices + body

        plain = segment(0)
        pseudo = server + kit + struct.pack(">BBH", 0, TCP, len(plain))
        packet = ip_packet(TCP, server, kit, segment(internet_sum(pseudo + plain)))
        self.network.out.append(packet)

    def take(self, segment: bytes) -> bool:
        """A segment from the kit; False when the connection was broken off."""
        number, told = struct.unpack(">II", segment[4:12])
        offset, flags, self.window = segment[12] >> 4, segment[13], segment[14] << 8 | segment[15]
        body = segment[offset * 4 :]
        if flags & RST:
            self.network.seen.append("reset")
            self.sock.close()
            return False
        if flags & SYN:
            self._greet()
            return True
        if flags & ACK:
            self._acknowledge(told)
        if not body and not flags & FIN:
            return True
        if number == self.expected:
            self.expected = self.expected + len(body) & WORD
            try:
                self.sock.settimeout(10)
                self.sock.sendall(body)
                if flags & FIN:
                    self.expected = self.expected + 1 & WORD
                    self.sock.shutdown(socket.SHUT_WR)
            except OSError:
                self._say(RST | ACK, self.sent)
                return False
        self._say(ACK, self.sent)
        return True

    def _acknowledge(self, told: int) -> None:
        new = behind(self.acknowledged, told)
        if 0 < new <= len(self.waiting) + 1:
            self.waiting = self.waiting[new:]
            self.acknowledged = told
            self.since = self.network.clock()
        self.established = True

    def poll(self) -> None:
        """Fetch what the server sent, and send the kit what its window takes."""
        if not self.established:
            return
        if len(self.waiting) < 4 * MOST and not self.ended:
            self._fetch()
        under_way = behind(self.acknowledged, self.sent)
        if under_way > 0 and self.network.clock() - self.since > AGAIN:
            self.sent, under_way = self.acknowledged, 0
            self.network.seen.append("again")
        while under_way < min(len(self.waiting), self.window):
            piece = self.waiting[under_way:][: min(MOST, self.window - under_way)]
            if under_way == 0:
                self.since = self.network.clock()
            self._say(ACK | PSH, self.sent, b"", piece)
            self.sent = self.sent + len(piece) & WORD
            under_way += len(piece)
        if self.ended and under_way == len(self.waiting) and not self.told_end:
            self._say(FIN | ACK, self.sent)
            self.sent = self.sent + 1 & WORD
            self.told_end = True

    def _fetch(self) -> None:
        self.sock.settimeout(0)
        try:
            data = self.sock.recv(2 * MOST)
            self.waiting += data
            self.ended = not data
        except BlockingIOError:
            pass
        except OSError:
            self.ended = True


class Network:
    """`names`: name -> (address that the name server tells, port, loopback address behind it)."""

    guest = bytes([10, 64, 64, 2])
    gateway = bytes([10, 64, 64, 1])

    def __init__(
        self,
        names: Mapping[str, tuple[str, int, tuple[str, int]]],
        clock: Callable[[], float],
    ):
        self.clock = clock
        self.names = {name: socket.inet_aton(row[0]) for name, row in names.items()}
        self.hosts = {(socket.inet_aton(row[0]), row[1]): row[2] for row in names.values()}
        self.flows: dict[tuple[bytes, bytes, int, int], Flow] = {}
        self.out: list[bytes] = []
        self.asked: list[str] = []  # names that were looked up
        self.seen: list[str] = []
        self.bytes = 0  # IP, both ways

    def close(self) -> None:
        """Let go of the sockets."""
        for flow in self.flows.values():
            flow.sock.close()

    def poll(self) -> list[bytes]:
        """Packets for the kit."""
        for flow in self.flows.values():
            flow.poll()
        out, self.out = self.out, []
        self.bytes += sum(map(len, out))
        return out

    def receive(self, packet: bytes) -> None:
        """A packet from the kit; one that is not sound fails."""
        assert packet[0] == 0x45 and internet_sum(packet[:20]) == 0, packet.hex()
        size, protocol = packet[2] << 8 | packet[3], packet[9]
        source, target, body = packet[12:16], packet[16:20], packet[20:size]
        assert source == self.guest, source
        self.bytes += size
        pseudo = source + target + struct.pack(">BBH", 0, protocol, len(body))
        if protocol in (TCP, UDP):
            assert internet_sum(pseudo + body) == 0, packet.hex()
        if protocol == TCP:
            self._tcp(source, target, body)
        elif protocol == UDP and target == self.gateway:
            self._name(source, body)

    def _tcp(self, source: bytes, target: bytes, segment: bytes) -> None:
        ports = struct.unpack(">HH", segment[:4])
        key = (source, target, *ports)
        flow = self.flows.get(key)
        if flow is None and segment[13] & (SYN | ACK) == SYN:
            start = struct.unpack(">I", segment[4:8])[0]
            self.flows[key] = Flow(self, key, start)
        elif flow is not None and not flow.take(segment):
            del self.flows[key]

    def _name(self, source: bytes, datagram: bytes) -> None:
        """Answer a question for a name's address; any other with "no such name"."""
        port, question = datagram[:2], datagram[8:]
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode())
            at += 1 + question[at]
        name, kind = ".".join(labels), question[at + 1 : at + 3]
        self.asked.append(name)
        found = self.names.get(name)
        answers = b""
        if found and kind == b"\0\1":
            answers = b"\xc0\x0c\0\1\0\1" + struct.pack(">IH", 60, 4) + found
        flags = 0x8180 if found else 0x8183
        body = question[:2] + struct.pack(">5H", flags, 1, int(bool(answers)), 0, 0)
        body += question[12 : at + 5] + answers
        head = b"\0\x35" + port + struct.pack(">HH", 8 + len(body), 0)
        # Checksum 0: not used, as IPv4 allows.
        self.out.append(ip_packet(UDP, self.gateway, source, head + body))
