"""Runs the code of a Markdown page, in order, in an empty folder: `python tests/readme_blocks.py README.md ...`.

It needs nothing but the installed package. Blocks marked `python` and `sh` are run, `json` is parsed; any other block
is a picture, but for `text` that a command is said to print. Whatever a reader would not see is said in an HTML comment
on the line before the block:

- `<!-- file: NAME -->` also writes the block to a file, for the blocks behind it.
- `<!-- run: COMMAND -->` runs a shorter command in the block's place.
- `<!-- said by: COMMAND -->` compares a `text` block with what the command prints.
- `<!-- serve -->` leaves the command running, once it listens, until the page ends.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]+) -->\n)?^```(?P<kind>python|sh|json|text)\n(?P<code>.*?)^```$", re.M | re.S
)
PORT = "8765"
"""Stands in the pages; each run takes a free one in its place."""

TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Block:
    """One block: its line in the page, its language, its code, and what the comment before it says."""

    line: int
    kind: str
    code: str
    mark: str

    def marked(self, name: str) -> str | None:
        """What is said behind `name:`."""
        found = re.fullmatch(rf"{name}: (.+)", self.mark)
        return found and found[1]


def blocks_of(text: str) -> list[Block]:
    """The blocks of a page, in order."""
    return [
        Block(text.count("\n", 0, found.start("code")), found["kind"], found["code"], found["mark"] or "")
        for found in BLOCK.finditer(text)
    ]


def run_page(page: Path) -> int:
    """Run every block; the number of blocks.

    Raises:
        SystemExit: One failed; the message names its line.
    """
    with tempfile.TemporaryDirectory() as folder, ExitStack() as servers:
        text = page.read_text("utf-8").replace(PORT, str(_free_port()))
        blocks = blocks_of(text)
        for block in blocks:
            try:
                _run_block(block, Path(folder), servers)
            except (subprocess.SubprocessError, ValueError) as error:
                sys.exit(f"{page}:{block.line}: {error}")
        return len(blocks)


def _run_block(block: Block, folder: Path, servers: ExitStack) -> None:
    if name := block.marked("file"):
        (folder / name).write_text(block.code, "utf-8")
    if block.kind == "json":
        json.loads(block.code)
    elif block.kind == "text":
        _compare(block, folder)
    elif block.mark == "serve":
        servers.enter_context(_serving(block.code, folder))
    elif block.kind == "sh":
        _run(["sh", "-e", "-c", block.marked("run") or block.code], folder)
    else:
        _run([sys.executable, "-W", "error", "-c", block.code], folder)


def _compare(block: Block, folder: Path) -> None:
    if command := block.marked("said by"):
        said = subprocess.run(
            ["sh", "-e", "-c", command],
            cwd=folder,
            env=_environment(folder),
            check=True,
            timeout=TIMEOUT_SECONDS,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
        if said != block.code:
            raise ValueError(f"{command} says:\n{said}")


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, env=_environment(folder), check=True, timeout=TIMEOUT_SECONDS)


@contextmanager
def _serving(command: str, folder: Path) -> Iterator[None]:
    """Run a server until the page ends; it has to stop cleanly then."""
    with subprocess.Popen(
        ["sh", "-c", f"exec {command.strip()}"], cwd=folder, env=_environment(folder), stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            if not (server.stdout and server.stdout.readline().startswith("listening on")):
                raise ValueError(f"does not listen: {command.strip()}")
            yield
        finally:
            server.send_signal(signal.SIGTERM)
    if server.returncode:
        raise ValueError(f"exit {server.returncode}: {command.strip()}")


def _environment(folder: Path) -> dict[str, str]:
    """The installed commands come first, and what a block leaves behind goes with the folder."""
    programs = str(Path(sys.executable).parent)
    path = os.pathsep.join([programs, os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "TMPDIR": str(folder)}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def main() -> None:
    """Run the pages that are named."""
    for name in sys.argv[1:]:
        print(f"{name}: {run_page(Path(name))} blocks ran")


if __name__ == "__main__":
    main()
