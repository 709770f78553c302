"""Commands as they show themselves to people."""

from __future__ import annotations

import os
import pty
import subprocess

from processes import COMMAND, PATIENCE_SECONDS


def on_a_terminal(*args: str) -> str:
    """All that a command shows on a terminal of 150 columns; it must exit 0."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "150", "TERM": "xterm", "NO_COLOR": "1"}
    with subprocess.Popen([*COMMAND, *args], stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 65_536):
                shown += chunk
        except OSError:  # the terminal ends with who wrote to it
            pass
        os.close(ours)
        assert process.wait(PATIENCE_SECONDS) == 0
    return shown.decode()
