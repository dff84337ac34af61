"""`saksi` on a terminal of its own, with somebody who types."""

import os
import pty
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def saksi(*words, typed: list[str], environment: dict[str, str] | None = None) -> tuple[int, str]:
    """(exit code, all that was seen) of a command; each of `typed` answers one question (": ")."""
    program = "from host_tools.cli import main; main()"
    command = [sys.executable, "-c", program, *[str(word) for word in words]]
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.execvpe(command[0], command, environment or dict(os.environ))
    seen, answered, answers = b"", 0, list(typed)
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # Linux ends a terminal whose last user has gone with EIO
            break
        if not data:
            break
        seen += data
        if answers and seen[answered:].endswith(b": "):
            answered = len(seen)
            os.write(terminal, answers.pop(0).encode() + b"\n")
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), seen.decode()
