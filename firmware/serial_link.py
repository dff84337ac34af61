"""The kit's side of the provisioning cable: one line asks, one line answers.

    SAKSI <VERB> <hex or ->      ->      OK <hex or ->      or      ERR <code> <sentence>

What a verb does is a function(bytes) -> bytes handed in from outside (firmware.enrol). Whatever
comes over the cable is answered: rubbish gives ERR, never an exception, and START ends the talk.
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


def answer(line, handlers):
    """(reply line, verb or None) for one request line (bytes, without its newline).

    The verb is None unless its handler ran to the end.
    """
    if line.endswith(b"\r"):
        line = line[:-1]
    parts = bytes(line).split(b" ")
    if len(parts) != 3 or parts[0] != b"SAKSI":
        return _error(BAD_LINE, "Send: SAKSI, a verb, and hex or -"), None
    # Looked up as bytes: a verb that is no text at all must not raise in decode().
    verb = None
    for known in handlers:
        if known.encode() == parts[1]:
            verb = known
    if verb is None:
        return _error(UNKNOWN_VERB, "The kit does not know this verb"), None
    if parts[2] != b"-" and not _is_hex(parts[2]):
        return _error(BAD_HEX, "What follows the verb is not hex"), None
    try:
        result = handlers[verb](b"" if parts[2] == b"-" else binascii.unhexlify(parts[2]))
    except Exception as error:  # a fault in a handler must reach the technician, not end the talk
        code = getattr(error, "code", FAILED)
        text = getattr(error, "text", "The kit failed: " + str(error))
        return _error(code, text), None
    return b"OK " + (binascii.hexlify(result) if result else b"-") + b"\n", verb


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
                reply, verb = answer(line[:length], handlers)
            length = 0
            await write(uart, reply)
            if verb == "START":
                return
