"""What a MicroPython board starts: installed as /main.py, it needs nothing else to be whole.

Two slots, `a` and `b`, lie in `root`; each holds one software. `root/slots` says which one runs:
CRC-32 in 8 hex digits, then JSON

    [slot that runs or null, slot on trial or null, its version, trial begun, last failure or null]

No slot runs: the firmware that lies beside this file does. A trial is marked as begun before its
first line is imported; whatever then ends it before firmware.slots confirms it, the next start is
the old one. Where `root/sealed` lies, nothing ends at a prompt.
"""

if __name__ == "__main__":
    # The first thing that runs: until here the board's own start keeps Ctrl-C away, from here on
    # this file does, and the imports below take long enough to be interrupted.
    try:
        import micropython

        micropython.kbd_intr(-1)
    except (ImportError, AttributeError):
        pass

import asyncio
import binascii
import json
import os
import sys

ROOT = ""  # of a board's flash
SLOTS = ("a", "b")
NOTHING = (None, None, "", False, None)
_CTRL_C = 3


def exists(path):
    """True when `path` names a file or folder."""
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def load(root):
    """The five values of `root/slots`; of a damaged one, that the first whole slot runs."""
    if not exists(root + "/slots"):
        return list(NOTHING)
    try:
        with open(root + "/slots", "rb") as file:
            data = file.read()
        run, trial, version, begun, failure = json.loads(data[8:])
        whole = int(data[:8], 16) == binascii.crc32(data[8:])
        if whole and (run is None or run in SLOTS) and (trial is None or trial in SLOTS):
            return [run, trial, version, begun, failure]
    except (OSError, ValueError, TypeError):
        pass
    for slot in SLOTS:
        if exists("%s/%s/release.cbor" % (root, slot)):
            return [slot, None, "", False, "The file of the slots was damaged"]
    return list(NOTHING)


def store(root, state):
    """Replace `root/slots`: after a power cut the old one or the new one is there."""
    body = json.dumps(state).encode()
    path = root + "/slots"
    with open(path + ".new", "wb") as file:
        file.write(b"%08x" % binascii.crc32(body) + body)
        file.flush()
        if hasattr(os, "fsync"):
            os.fsync(file.fileno())
    os.rename(path + ".new", path)


def fail(root, why):
    """End the trial for good, with the reason for the technician."""
    run, _, version, _, _ = load(root)
    try:
        store(root, [run, None, "", False, "%s: %s" % (version, why)])
    except OSError:
        pass  # still marked as begun: it is not tried again


def choose(root):
    """The slot to run now, or None; a trial once, and only if that could be written down."""
    run, trial, version, begun, failure = load(root)
    if trial is None:
        return run
    if begun:
        fail(root, "it ended before its self-test had passed")
        return run
    try:
        store(root, [run, trial, version, True, failure])
    except OSError:
        return run
    return trial


def turn(root, argv):
    """Run the chosen software until it ends."""
    slot = choose(root)
    if slot:
        sys.path.insert(0, "%s/%s/lib" % (root, slot))
        sys.path.insert(0, "%s/%s" % (root, slot))
    try:
        from firmware.main import run

        asyncio.run(run(argv))
    except BaseException as error:
        if slot and load(root)[1] == slot:
            fail(root, ("%s: %s" % (type(error).__name__, error))[:80])
        raise


def _interrupt(char):
    """The character that stops a program, -1 for none."""
    try:
        import micropython

        micropython.kbd_intr(char)
    except (ImportError, AttributeError):
        pass


def _again():
    """Start anew. Where there is no reset, SystemExit is one: a board's soft reset, a service's."""
    try:
        import machine

        machine.reset()
    except (ImportError, AttributeError):
        pass
    sys.exit(1)


def start(root=ROOT, argv=None):
    """Run the kit; returns, or raises what it ended with, only on a kit that is not sealed."""
    _interrupt(-1)  # before all else: nobody stops what comes next
    sealed = True  # until the opposite is known
    try:
        sealed = exists(root + "/sealed")
        if not sealed:
            _interrupt(_CTRL_C)
        turn(root, sys.argv if argv is None else argv)
    finally:
        if sealed:
            _again()


if __name__ == "__main__":
    start()
