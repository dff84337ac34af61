"""What a board's own start-up does before the REPL, for MicroPython's unix port.

    micropython -i bare_boot.py ROOT IMAGE MODE [ARGUMENT…]

The littlefs in IMAGE (made blank when there is none) becomes the whole file system, boot.py runs,
and in MODE "friendly" main.py, with the arguments as its sys.argv; then comes the REPL. An ARGUMENT
`PLACE=FOLDER` mounts a folder of this machine at PLACE: the card. ROOT has this repository.
"""

import os
import sys
import termios

import micropython
import vfs

_CTRL_C = 3
_ISIG = 1  # Ctrl-C is a signal (Linux' termios.h)


class _Micropython:
    """The module, with a kbd_intr that keeps Ctrl-C from the terminal as a board's does."""

    def __init__(self):
        for name in dir(micropython):
            if not name.startswith("__"):
                setattr(self, name, getattr(micropython, name))
        # As in MicroPython's pyexec.c: Ctrl-C counts from the first line of a file on.
        self._friendly = termios.tcgetattr(0)
        self._friendly[3] |= _ISIG
        self.kbd_intr = self._kbd_intr

    def _kbd_intr(self, char):
        if char == _CTRL_C:
            termios.tcsetattr(0, termios.TCSANOW, self._friendly)
        else:
            termios.setraw(0)


def _mount(root, image, folders):
    sys.path.insert(0, root)
    from firmware import blockdev

    sys.path.pop(0)
    hosts = {place: vfs.VfsPosix(folder) for place, folder in folders}

    def device(path):
        chip = blockdev.FileBlockDevice(path)
        vfs.umount("/")
        return chip

    blockdev.mount(image, "/", device)  # pyright: ignore[reportArgumentType]
    for place, host in hosts.items():
        vfs.mount(host, place)
    # What runs on the board is what lies on it: nothing of this start-up is left.
    for name in list(sys.modules):
        if name.startswith("firmware"):
            del sys.modules[name]


def _run(name):
    try:
        os.stat("/" + name)
    except OSError:
        return
    with open("/" + name) as file:
        code = compile(file.read(), name, "exec")
    sys.modules["micropython"].kbd_intr(_CTRL_C)
    exec(code, {"__name__": "__main__"})


def _start(root, image, mode, arguments):
    _mount(root, image, [a.split("=", 1) for a in arguments if a.startswith("/") and "=" in a])
    sys.modules["micropython"] = _Micropython()  # pyright: ignore[reportArgumentType]
    sys.argv[:] = ["main.py"] + [a for a in arguments if not (a.startswith("/") and "=" in a)]
    sys.path[:] = ["", ".frozen", "/lib"]
    os.chdir("/")
    try:
        _run("boot.py")
        if mode == "friendly":
            _run("main.py")
    except Exception as error:
        sys.print_exception(error)
    except KeyboardInterrupt as error:
        sys.print_exception(error)
    except SystemExit:
        os.system("kill -9 $PPID")  # a soft reset, not the prompt: the board starts anew
    sys.modules["micropython"].kbd_intr(_CTRL_C)  # the prompt


_start(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
