import asyncio
import io

from firmware import http
from firmware.drivers import PartError
from tests.firmware.support import raises


class Script:
    """A stream that gives `pieces` in order; then the peer has closed, or is silent for ever."""

    def __init__(self, pieces, silent=False):
        self.pieces = list(pieces)
        self.silent = silent
        self.sent = b""
        self.closed = False
        self.early = 0  # any() tells of a reply after so many bytes; 0 = only when asked to read

    def any(self):
        return len(self.pieces[0]) if self.early and len(self.sent) >= self.early else 0

    async def write(self, buf):
        assert not self.closed
        self.sent += bytes(buf)

    async def readinto(self, buf):
        assert not self.closed
        await asyncio.sleep(0)
        while not self.pieces and self.silent:
            await asyncio.sleep(0.01)
        if not self.pieces:
            return 0
        piece = self.pieces.pop(0)
        n = min(len(piece), len(buf))
        buf[:n] = piece[:n]
        if n < len(piece):
            self.pieces.insert(0, piece[n:])
        return n

    async def close(self):
        assert not self.closed
        self.closed = True


class Line:
    """open_stream that hands out the scripts one after the other."""

    def __init__(self, *scripts):
        self.scripts = list(scripts)
        self.opened = 0
        self.replies = []
        self.lost = []

    async def __call__(self):
        self.opened += 1
        return self.scripts[self.opened - 1]


def client(*scripts, **options):
    line = Line(*scripts)

    async def opener():
        return await line()

    async def on_reply(what, response):
        line.replies.append((what, response))

    return http.Client(opener, "collector.example.id", on_reply, line.lost.append, **options), line


async def ask(c, method, path, headers=(), body=b"", size=None):
    """One request and its reply."""
    got = []

    async def on_reply(what, response):
        got.append(response)

    c.on_reply = on_reply
    await c.send(path, method, path, headers, body, size)
    while c.pending:
        await c.take()
    return got[-1]


def get(*scripts, **options):
    c, _ = client(*scripts, **options)
    return asyncio.run(ask(c, "GET", "/x"))


def reply(text, body=b""):
    return text.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body


def every_byte(data):
    return [data[i : i + 1] for i in range(len(data))]


OK = reply("HTTP/1.1 200 OK\nContent-Length: 5", b"hello")


def test_a_request_is_written_as_rfc_9112_wants_it():
    script = Script([OK])
    c, _ = client(script)
    asyncio.run(ask(c, "POST", "/v1/records", (("Content-Type", "application/cbor"),), b"\x01"))
    assert script.sent == (
        b"POST /v1/records HTTP/1.1\r\nHost: collector.example.id\r\nContent-Length: 1\r\n"
        b"Content-Type: application/cbor\r\n\r\n\x01"
    )


def test_a_reply_cut_at_every_byte_is_read():
    for pieces in ([OK], every_byte(OK)):
        response = get(Script(pieces))
        assert (response.status, response.body) == (200, b"hello")
        assert response.headers == {"content-length": "5"}


def test_chunks_their_extensions_and_trailers_are_eaten():
    data = reply(
        "HTTP/1.1 201 Created\nTransfer-Encoding: chunked",
        b"3;x=y\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n",
    )
    for pieces in ([data], every_byte(data)):
        response = get(Script(pieces))
        assert (response.status, response.body) == (201, b"abc0123456789")


def test_replies_without_a_body_need_no_length():
    assert (
        get(Script([reply("HTTP/1.1 204 No Content\nUpload-Offset: 70")])).number("upload-offset")
        == 70
    )


def test_interim_replies_are_skipped():
    assert get(Script([b"HTTP/1.1 100 Continue\r\n\r\n" + OK])).body == b"hello"


def test_the_connection_is_kept_and_a_file_is_streamed():
    script = Script([OK, OK])
    c, line = client(script)
    data = bytes(range(256)) * 20

    async def run():
        await ask(c, "GET", "/x")
        script.sent = b""
        file = io.BytesIO(data)
        file.seek(100)
        await ask(c, "PATCH", "/u", (), file, len(data) - 100)

    asyncio.run(run())
    assert line.opened == 1 and not script.closed
    head, _, body = script.sent.partition(b"\r\n\r\n")
    assert body == data[100:] and b"Content-Length: 5020" in head


def test_connection_close_http_1_0_and_bytes_behind_the_reply_end_the_connection():
    for first in (
        reply("HTTP/1.1 200 OK\nContent-Length: 0\nConnection: close"),
        reply("HTTP/1.0 200 OK\nContent-Length: 0"),
        OK + b"\r\nCLOSED\r\n",
    ):
        c, line = client(Script([first]), Script([OK]))

        async def run(c=c):
            await ask(c, "GET", "/1")
            return await ask(c, "GET", "/2")

        assert asyncio.run(run()).body == b"hello"
        assert line.opened == 2 and line.scripts[0].closed


def test_requests_go_ahead_of_their_replies_which_come_in_order():
    script = Script([OK + OK[:9], OK[9:] + OK])
    c, line = client(script)

    async def run():
        for name in "abc":
            await c.send(name, "POST", "/" + name, (), name.encode())
        assert script.sent.count(b"POST") == 3 and len(c.pending) == 3
        while c.pending:
            await c.take()

    asyncio.run(run())
    assert [what for what, _ in line.replies] == ["a", "b", "c"]
    assert line.opened == 1 and line.lost == [] and not script.closed


def test_replies_that_come_while_a_file_is_sent_are_taken():
    class Answers(Script):
        def any(self):
            return len(self.pieces[0]) if self.pieces and len(self.sent) > 3000 else 0

    script = Answers([OK, OK])
    c, line = client(script)
    data = bytes(20000)

    async def run():
        await c.send("first", "POST", "/1", (), b"x")
        await c.send("file", "PATCH", "/2", (), io.BytesIO(data), len(data))

    asyncio.run(run())
    # The second reply came before the end of the file: the rest was not sent.
    assert [what for what, _ in line.replies] == ["first", "file"]
    assert len(script.sent) < 8000 and script.closed


def test_what_a_broken_line_leaves_unanswered_is_told():
    c, line = client(Script([OK]))

    async def run():
        for name in "abc":
            await c.send(name, "POST", "/", (), b"x")
        while c.pending:
            await c.take()

    assert raises(http.HttpError, lambda: asyncio.run(run())).code == http.CUT_OFF
    assert [what for what, _ in line.replies] == ["a"] and line.lost == ["b", "c"]


def test_a_head_has_no_body_and_no_length_of_one():
    script = Script([reply("HTTP/1.1 200 OK\nUpload-Offset: 7\nContent-Length: 99")])
    c, _ = client(script)
    response = asyncio.run(ask(c, "HEAD", "/u"))
    assert response.number("upload-offset") == 7 and response.body == b""
    assert script.sent == b"HEAD /u HTTP/1.1\r\nHost: collector.example.id\r\n\r\n"


def test_the_other_tasks_have_a_turn_after_every_piece():
    turns = []
    script = Script([OK])

    async def write(buf):
        assert len(buf) <= 1400
        script.sent += bytes(buf)
        turns.append(0)

    script.write = write
    c, _ = client(script)

    async def other():
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    async def run():
        task = asyncio.create_task(other())
        await ask(c, "PATCH", "/u", (), io.BytesIO(bytes(70000)), 70000)
        task.cancel()

    asyncio.run(run())
    assert turns.count(0) > 50
    assert all(turns[i + 1] == 1 for i in range(len(turns) - 1) if turns[i] == 0)


def test_a_fresh_connection_that_dies_is_an_error():
    assert raises(http.HttpError, get, Script([])).code == http.CUT_OFF
    assert raises(http.HttpError, get, Script([OK[:-1]])).code == http.CUT_OFF


def test_a_server_that_answers_before_the_end_of_the_body_saves_the_rest():
    conflict = reply("HTTP/1.1 409 Conflict\nUpload-Offset: 9\nContent-Length: 0")
    script = Script([conflict])
    script.early = 2000
    c, _ = client(script)
    response = asyncio.run(ask(c, "PATCH", "/u", (), io.BytesIO(bytes(90000)), 90000))
    assert (response.status, response.number("upload-offset")) == (409, 9)
    assert len(script.sent) < 5000 and script.closed


def test_silence_and_a_trickle_are_given_up():
    assert (
        raises(http.HttpError, lambda: get(Script([], True), timeout=0.05)).code == http.NO_ANSWER
    )

    class Slow(Script):
        async def readinto(self, buf):
            await asyncio.sleep(0.02)
            return await Script.readinto(self, buf)

    script = Slow(every_byte(OK * 40))
    assert raises(http.HttpError, lambda: get(script, timeout=0.2)).code == http.NO_ANSWER
    assert script.closed


def test_rubbish_is_one_clear_error():
    for data in (
        b"\r\nERROR\r\n",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1200 OK\r\n\r\n",
        b"\xff\xfe\xfd\r\n\r\n",
        b"x" * 5000,
        reply("HTTP/1.1 200 OK"),
        reply("HTTP/1.1 200 OK\nContent-Length: -5"),
        reply("HTTP/1.1 200 OK\nContent-Length: 1\nContent-Length: 2", b"ab"),
        reply("HTTP/1.1 200 OK\nno colon"),
        reply("HTTP/1.1 200 OK\n folded: x"),
        reply("HTTP/1.1 200 OK" + "\nA: b" * 60),
        reply("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b"zz\r\n"),
        reply("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b"-1\r\n"),
        reply("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b"1\r\nab\r\n"),
        reply("HTTP/1.1 200 OK\nContent-Length: 5000", b"x" * 5000),
        reply("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b"1388\r\n" + b"x" * 5000),
    ):
        script = Script([data])
        error = raises(http.HttpError, get, script)
        assert error.code == http.BAD_REPLY, data[:40]
        assert script.closed


def test_a_long_error_page_gives_its_status_and_no_more_than_the_limit():
    for data in (
        reply("HTTP/1.1 502 Bad Gateway\nContent-Length: 9000", b"x" * 9000),
        reply(
            "HTTP/1.1 502 Bad\nTransfer-Encoding: chunked", b"20\r\n" + b"x" * 32 + b"\r\nffff\r\n"
        ),
    ):
        script = Script([data])
        response = get(script, limit=100)
        assert response.status == 502 and len(response.body) <= 100
        assert script.closed


def test_a_line_that_breaks_while_sending_passes_its_own_error_on():
    class Broken(Script):
        async def write(self, buf):
            raise PartError(312, "The connection was lost")

    script = Broken([])
    assert raises(PartError, get, script).code == 312
    assert script.closed


def test_numbers_in_headers_are_numbers_or_nothing():
    response = http.Response(200, {"retry-after": "Fri, 14 Feb 2025", "a": "12", "b": "9" * 13})
    assert [response.number(name) for name in ("retry-after", "a", "b", "c")] == [
        None,
        12,
        None,
        None,
    ]
