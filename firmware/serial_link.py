"""The kit's side of the provisioning cable: one line asks, one line answers.

    SAKSI <VERB> <hex or ->      ->      OK <hex or ->      or      ERR <code> <sentence>

What a verb does is a function(bytes) -> bytes handed in from outside (firmware.enrol), or one that
returns a coroutine for them (firmware.parts_test): `serve` awaits it, and lines that come meanwhile
wait. Whatever comes over the cable is answered: rubbish gives ERR, never an exception, and START
ends the talk.
"""

import asyncio
import binascii

from firmware.compat import const

MAX_LINE = const(8192)  # a certificate or package of 4,000 B in hex; both are under 2,000

BAD_LINE = const(830)
UNKNOWN_VERB = const(831)
BAD_HEX = const(832)
TOO_LONG = const(833)
FAILED = const(834)


def _error(code, text):
    plain = "".join(c if " " <= c <= "~" else "?" for c in text)
    return b"ERR %d %s\n" % (code, plain.encode())


def _is_hex(text):
    # MicroPython's unhexlify lets white space pass.
    digits = b"0123456789abcdefABCDEF"
    return len(text) > 0 and len(text) % 2 == 0 and all(c in digits for c in text)


def _parse(line, handlers):
    """(error line or None, verb, its argument's bytes) of one request line."""
    if line.endswith(b"\r"):
        line = line[:-1]
    parts = bytes(line).split(b" ")
    if len(parts) != 3 or parts[0] != b"SAKSI":
        return _error(BAD_LINE, "Send: SAKSI, a verb, and hex or -"), None, None
    # Looked up as bytes: a verb that is no text at all must not raise in decode().
    verb = None
    for known in handlers:
        if known.encode() == parts[1]:
            verb = known
    if verb is None:
        return _error(UNKNOWN_VERB, "The kit does not know this verb"), None, None
    if parts[2] != b"-" and not _is_hex(parts[2]):
        return _error(BAD_HEX, "What follows the verb is not hex"), None, None
    return None, verb, b"" if parts[2] == b"-" else binascii.unhexlify(parts[2])


def _ok(result):
    return b"OK " + (binascii.hexlify(result) if result else b"-") + b"\n"


def _failed(error):
    """The line for what a handler raised: a fault must reach the technician, not end the talk."""
    code = getattr(error, "code", FAILED)
    return _error(code, getattr(error, "text", "The kit failed: " + str(error)))


def answer(line, handlers):
    """(reply line, verb or None) for one request line (bytes, without its newline).

    The verb is None unless its handler ran to the end; one that returns a coroutine cannot here.
    """
    refusal, verb, argument = _parse(line, handlers)
    if refusal:
        return refusal, None
    try:
        return _ok(handlers[verb](argument)), verb
    except Exception as error:
        return _failed(error), None


async def answer_in_time(line, handlers):
    """The same; a handler's coroutine is awaited, so that other tasks go on meanwhile."""
    refusal, verb, argument = _parse(line, handlers)
    if refusal:
        return refusal, None
    try:
        result = handlers[verb](argument)
        if hasattr(result, "send"):  # a coroutine, which MicroPython has no other sign of
            result = await result
        return _ok(result), verb
    except Exception as error:
        return _failed(error), None


async def write(uart, data):
    """All of `data`, however little the port takes at once."""
    view = memoryview(data)
    at = 0
    while at < len(data):
        at += uart.write(view[at:]) or 0
        if at < len(data):
            await asyncio.sleep(0.005)


async def serve(uart, handlers):
    """Answer lines from `uart` until START succeeded; a flood of bytes starves no other task."""
    line = bytearray(MAX_LINE)
    chunk = bytearray(64)
    length = 0
    while True:
        count = uart.readinto(chunk)
        await asyncio.sleep(0 if count else 0.005)
        for i in range(count or 0):
            if chunk[i] != 0x0A:
                if length < MAX_LINE:
                    line[length] = chunk[i]
                length += 1
                continue
            verb = None
            if length > MAX_LINE:
                reply = _error(TOO_LONG, "The line is too long")
            elif length == 0:
                reply = b""  # a host that starts anew ends the line it may have left half written
            else:
                reply, verb = await answer_in_time(line[:length], handlers)
            length = 0
            await write(uart, reply)
            if verb == "START":
                return
