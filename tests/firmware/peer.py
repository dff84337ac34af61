"""A small strict collector for the relay's tests: RECORD.md "Relay" without sockets or storage.

It complains (`complaints`) about everything that the protocol does not say, keeps what arrived of a
photograph when the line is cut, and answers as it is told to (`answers`).
"""

import asyncio
import binascii

from firmware import cbor, record, relay
from firmware.journal import Journal
from firmware.photos import Photos
from firmware.saved import Saved

GENESIS = b"\x11" * 32
KID = b"\x22" * 8
SIGNATURE = b"\x01" * 64  # in range and low: these tests are about the relay, not the keys
ACK_SIGNATURE = b"\x02" * 64
CERTIFICATE = b"certificate DER"


def ack_of(rec_id, signature=ACK_SIGNATURE):
    return record.assemble([36, rec_id, 5, None, None, None], KID, lambda digest: signature)


def verify_ack(data, rec_id):
    ack = record.parse(data)
    return ack.payload[:2] == [36, rec_id] and ack.signature == ACK_SIGNATURE


class Kit:
    """What a relay works on: journal, photographs, state, and what it told the station."""

    def __init__(self, folder):
        self.folder = folder
        self.journal = Journal(folder + "/journal", GENESIS)
        self.photos = Photos(folder + "/photos")
        self.store = Saved(folder + "/relay")
        self.acks = []
        self.refused = []

    def _append(self, payload, manifest=None):
        payload = payload + [self.journal.last + 1, self.journal.head, 5]
        self.journal.append(record.assemble(payload, KID, lambda digest: SIGNATURE), manifest)
        return self.journal.last

    def event(self, number, detail):
        return self._append([3, 2024, 1607, number, detail])

    def photo(self, data):
        self.photos.begin()
        self.photos.write(data)
        return self.photos.keep()

    def page(self, no, data):
        digest, size = self.photo(data)
        self.event(record.PAGE, [1, no, digest, size, 1])
        return [no, digest, size]

    def result(self, pages=()):
        manifest = record.manifest(list(pages), {})
        head = [1, 2024, 1607, 1, 1, [1, None], record.sha256(manifest)]
        return self._append(head, manifest)

    def on_ack(self, seq, data):
        self.acks.append(seq)
        self.event(record.ACKNOWLEDGED, [data])

    def on_refused(self, seq, text):
        self.refused.append((seq, text))


class Collector:
    """`order`: ("entry", seq) and ("photo", bytes) as they were completed."""

    def __init__(self, certified=True, certificate=None):
        self.certificate = certificate or CERTIFICATE
        self.entries = {}
        self.sizes = {}
        self.uploads = {}
        self.order = []
        self.complaints = []
        self.answers = []  # canned (status, headers, body) or None for "as always", one a request
        self.posts = 0
        self.certified = not certified
        self.introduced = 0
        self.ack = ack_of
        self.refuse = None  # seq -> text or None

    def complain(self, text):
        self.complaints.append(text)
        return 400, {}, b""

    def post(self, headers, body):
        self.posts += 1
        if headers.get("content-type") != "application/cbor":
            return self.complain("content type")
        data, manifest, certificate, claims = cbor.decode(body)
        entry = record.parse(data)
        if claims != [] or certificate not in (
            (None, self.certificate) if self.certified else (self.certificate,)
        ):
            return self.complain("certificate %r of entry %d" % (certificate, entry.seq))
        self.certified = True
        self.introduced += certificate is not None  # again only when the reply was lost
        if self.refuse and self.refuse(entry.seq):
            return 422, {}, self.refuse(entry.seq).encode()
        pages = []
        if entry.kind != record.EVENT:
            if record.sha256(manifest) != entry.payload[6]:
                return self.complain("manifest")
            pages = [(digest, size) for _, digest, size in record.parse_manifest(manifest)[0]]
        elif entry.payload[3] == record.PAGE:
            pages = [(entry.payload[4][2], entry.payload[4][3])]
        elif entry.payload[3] == record.INCIDENT and entry.payload[4][1]:
            pages = [(entry.payload[4][1], entry.payload[4][2])]
        new = entry.rec_id not in self.entries
        if new:
            self.entries[entry.rec_id] = data
            self.order.append(("entry", entry.seq))
        for digest, size in pages:
            self.sizes[digest] = size
            self.uploads.setdefault(digest, b"")
        offsets = [[digest, len(self.uploads[digest])] for digest, _ in pages]
        return 201 if new else 200, {}, cbor.encode([entry.rec_id, offsets, self.ack(entry.rec_id)])

    def where(self, headers, digest):
        """HEAD: at which byte to go on."""
        if headers.get("tus-resumable") != "1.0.0" or "content-length" in headers:
            return self.complain("head")
        if digest not in self.uploads:
            return 404, {}, None
        return 200, {"Upload-Offset": str(len(self.uploads[digest]))}, None

    def patch_begins(self, path, headers):
        """None when the body may come, else the reply."""
        try:
            digest = binascii.unhexlify(path.rsplit("/", 1)[1])
        except ValueError:
            return self.complain("path " + path)
        if headers.get("tus-resumable") != "1.0.0":
            return self.complain("tus version")
        if headers.get("content-type") != "application/offset+octet-stream":
            return self.complain("content type")
        if digest not in self.uploads:
            return 404, {}, b""
        at = len(self.uploads[digest])
        if headers.get("upload-offset") != str(at):
            return 409, {"Upload-Offset": str(at)}, b""
        if at + int(headers["content-length"]) != self.sizes[digest]:
            return self.complain("the rest must come in one piece")
        return None

    def patch_ends(self, digest):
        data = self.uploads[digest]
        if record.sha256(data) != digest:
            self.uploads[digest] = b""
            return 460, {"Upload-Offset": "0"}, b"wrong digest"
        self.order.append(("photo", data))
        return 204, {"Upload-Offset": str(len(data))}, b""


class Session:
    """One connection: bytes in, bytes out."""

    def __init__(self, collector):
        self.collector = collector
        self.buffer = b""
        self.request = None
        self.left = 0
        self.over = False  # answered before the end of a body: what follows is not a request

    def feed(self, data):
        out = b""
        self.buffer += data
        while not self.over:
            if self.request is None:
                head, end, rest = self.buffer.partition(b"\r\n\r\n")
                if not end:
                    break
                self.buffer = rest
                out += self._begin(head.decode())
            if self.request is None or not self._body():
                if self.request is None and self.buffer:
                    continue
                break
            out += self._end()
            if not self.buffer:
                break
        return out

    def _begin(self, head):
        lines = head.split("\r\n")
        method, path, version = lines[0].split(" ")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        if version != "HTTP/1.1" or headers.get("host") != "collector.example.id":
            self.collector.complain("request line")
        self.left = int(headers.get("content-length", 0))
        self.request = method, path, headers
        self.body = b""
        self.canned = self.collector.answers.pop(0) if self.collector.answers else None
        if self.canned is None and method == "PATCH":
            early = self.collector.patch_begins(path, headers)
            if early:
                self.over = True
                self.request = None
                return self._reply(*early)
        return b""

    def _body(self):
        """True when the whole body is here."""
        data, self.buffer = self.buffer[: self.left], self.buffer[self.left :]
        self.left -= len(data)
        method, path, _ = self.request
        if method == "PATCH" and self.canned is None:
            self.collector.uploads[binascii.unhexlify(path.rsplit("/", 1)[1])] += data
        else:
            self.body += data
        return self.left == 0

    def _end(self):
        method, path, headers = self.request
        self.request = None
        if self.canned is not None:
            return self._reply(*self.canned)
        if (method, path) == ("POST", "/v1/records"):
            return self._reply(*self.collector.post(headers, self.body))
        digest = binascii.unhexlify(path.rsplit("/", 1)[1])
        if method == "PATCH":
            return self._reply(*self.collector.patch_ends(digest))
        if method == "HEAD":
            return self._reply(*self.collector.where(headers, digest))
        return self._reply(*self.collector.complain(method + " " + path))

    @staticmethod
    def _reply(status, headers, body):
        lines = ["HTTP/1.1 %d X" % status]
        lines += ["%s: %s" % pair for pair in headers.items()]
        if status != 204 and body is not None:
            lines.append("Content-Length: %d" % len(body))
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"" if status != 204 else b"")


class Wire:
    """open_stream() to `collector`; `cut` drops every connection after so many bytes sent."""

    def __init__(self, collector, cut=None):
        self.collector = collector
        self.cut = cut
        self.down = False
        self.opened = 0
        self.sent = 0

    async def open(self):
        if self.down:
            raise OSError(111)
        self.opened += 1
        return WireStream(self)


class WireStream:
    def __init__(self, wire):
        self.wire = wire
        self.session = Session(wire.collector)
        self.out = b""
        self.room = wire.cut
        self.closed = False

    def any(self):
        return len(self.out)

    async def write(self, buf):
        assert not self.closed
        data = bytes(buf)
        if self.room is not None:
            data = data[: self.room]
            self.room -= len(data)
        self.wire.sent += len(data)
        self.out += self.session.feed(data)
        if self.room == 0:
            self.out = b""
            raise OSError(104)

    async def readinto(self, buf):
        assert not self.closed
        n = min(len(self.out), len(buf))
        buf[:n] = self.out[:n]
        self.out = self.out[n:]
        return n

    async def close(self):
        assert not self.closed
        self.closed = True


def one_round(r):
    """One round of a relay and the end of its connection; True when nothing is left."""
    try:
        return asyncio.run(r.round())
    finally:
        asyncio.run(r.client.close())


def relay_of(kit, wire, **options):
    """The kit's relay on `wire`."""
    return relay.Relay(
        wire.open,
        kit.journal,
        kit.photos,
        verify_ack,
        kit.store,
        "collector.example.id",
        CERTIFICATE,
        kit.on_ack,
        kit.on_refused,
        **options,
    )
