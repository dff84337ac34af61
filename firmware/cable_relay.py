"""`saksi-cable [SOCKET [TTY]]`: joins what the technician has in hand to the kit's socket.

Over SSH it is stdin and stdout; with TTY it is that serial line, raw at 115,200 Bd. Bytes only: it
knows nothing of the verbs, and has no rights but to open the socket. CPython only.
"""

import os
import select
import socket
import sys

from firmware.socket_port import PATH


def relay(source, sink, kit):
    """Both ways between files `source`, `sink` and socket `kit`; True when the kit ended it."""
    while True:
        ready = select.select([source, kit], [], [])[0]
        if source in ready:
            data = os.read(source, 4096)
            if not data:
                return False
            try:
                kit.sendall(data)
            except OSError:
                return True
        if kit in ready:
            try:
                data = kit.recv(4096)
            except OSError:
                data = b""
            if not data:
                return True
            while data:
                data = data[os.write(sink, data) :]


def open_serial(path):
    """The serial line as a file, raw, 115,200 Bd, 8N1."""
    import termios
    import tty

    line = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(line)
    settings = termios.tcgetattr(line)
    settings[4] = settings[5] = termios.B115200
    termios.tcsetattr(line, termios.TCSANOW, settings)
    return line


def main(argv=None):
    """Exit code: 0 when the technician's end closed, 1 when there is no kit or it went."""
    argv = sys.argv if argv is None else argv
    path = argv[1] if len(argv) > 1 else PATH
    kit = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        kit.connect(path)
        source, sink = 0, 1
        if len(argv) > 2:
            source = sink = open_serial(argv[2])
        if not relay(source, sink, kit):
            return 0
        text = "the kit ended the connection: was it restarted?"
    except PermissionError as error:
        text = "this user may not open %s: put it into its group" % (error.filename or path)
    except (FileNotFoundError, ConnectionRefusedError):
        text = "no kit runs here (%s): systemctl status saksi-kit" % path
    except OSError as error:
        text = str(error)
    print("saksi-cable: " + text, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
