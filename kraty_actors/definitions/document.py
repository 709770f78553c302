"""A raw JSON document, the places in it that are at fault, and how both are spelled for its author.

To find every fault at once (R-3), what is at fault is left out of a copy and the rest is read again. Everything
learnt about the copy is told in terms of the original: list elements keep the number that the author gave them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kraty_actors.definitions.base import SPELLINGS
from kraty_actors.definitions.faults import Path

MAX_DEPTH = 32
"""Levels of objects and lists; the deepest legal condition needs about twenty."""


class RawObject(dict[str, Any]):
    """An object read from text that remembers the keys that it was given twice."""

    twice: tuple[str, ...] = ()


class Document:
    """The author's JSON and the paths in it that are left out of further reading."""

    def __init__(self, raw: object) -> None:
        self.raw = raw
        self._left_out: set[Path] = set()
        self._parents: set[Path] = set()
        self._around: set[Path] = set()
        self._unnamed: set[Path] = set()
        self._kept: dict[Path, list[int]] = {}

    @property
    def is_sound(self) -> bool:
        """Whether nothing was left out."""
        return not self._left_out

    def leave_out(self, path: Path) -> None:
        """Take what stands there, or is missing there, out of further reading."""
        self._left_out.add(path)
        self._parents.add(path[:-1])
        self._around.update(path[:length] for length in range(len(path)))
        if path[-1:] in (("key",), ("id",)):
            self._unnamed.add(path[:-2])
        self._kept.clear()

    def outline_faults(self) -> Iterator[tuple[Path, str]]:
        """What is wrong whatever the document is about: too deep, a key twice, keys that are not text."""
        pending: list[tuple[Path, object]] = [((), self.raw)]
        while pending:
            path, node = pending.pop()
            if isinstance(node, dict | list) and len(path) >= MAX_DEPTH:
                self.leave_out(path)
                yield path, f"nested more than {MAX_DEPTH} levels deep"
            elif isinstance(node, dict):
                yield from _key_faults(path, node)
                pending += [((*path, key), inner) for key, inner in node.items() if isinstance(key, str)]
            elif isinstance(node, list):
                pending += [((*path, i), inner) for i, inner in enumerate(node)]

    def sound_part(self) -> Any:
        """A copy without what was left out."""
        return self._copy(self.raw, ())

    def _copy(self, node: Any, path: Path) -> Any:
        if isinstance(node, dict):
            return {
                key: self._copy(inner, (*path, key))
                for key, inner in node.items()
                if isinstance(key, str) and (*path, key) not in self._left_out
            }
        if isinstance(node, list):
            inners = (((*path, i), inner) for i, inner in enumerate(node))
            return [self._copy(inner, at) for at, inner in inners if at not in self._left_out]
        return node

    def as_written(self, path: Path, step: str | int) -> str | int:
        """A step into the sound part at `path` (as written) as the author wrote it."""
        if isinstance(step, int):
            return self._original_index(path, step)
        for other, name in SPELLINGS.items():
            if name == step and other in (siblings := self._at(path) or {}) and name not in siblings:
                return other
        return step

    def _original_index(self, path: Path, index: int) -> int:
        if path not in self._around:
            return index
        if path not in self._kept:
            node = self._at(path)
            count = len(node) if isinstance(node, list) else 0
            self._kept[path] = [i for i in range(count) if (*path, i) not in self._left_out]
        kept = self._kept[path]
        return kept[index] if index < len(kept) else index  # an example stands in for a list that is left out

    def _at(self, path: Path) -> Any:
        node = self.raw
        for step in path:
            node = child(node, step)
        return node

    def is_left_out(self, path: Path) -> bool:
        """Whether it, or something around it, was left out."""
        return any(path[:length] in self._left_out for length in range(len(path) + 1))

    def is_around_a_gap(self, path: Path) -> bool:
        """Whether it, or something within it, was left out."""
        return path in self._around or path in self._left_out

    def is_unsettled(self, path: Path) -> bool:
        """Whether it is not fully known: it, something around it or a direct part of it was left out."""
        return self.is_left_out(path) or path in self._parents

    def is_open(self, path: Path) -> bool:
        """Whether a definition in the list there has a name that could not be read."""
        return self.is_left_out(path) or path in self._unnamed

    def position(self, path: Path) -> tuple[int, ...]:
        """Where a path stands in the document, to sort by; what is missing comes after its siblings."""
        places, node = [], self.raw
        for step in path:
            keys = list(node) if isinstance(node, dict) else []
            places.append(step if isinstance(step, int) else keys.index(step) if step in keys else len(keys))
            node = child(node, step)
        return tuple(places)


def child(node: object, step: str | int) -> Any:
    """The part of a raw node that a step leads to, None where there is none."""
    if isinstance(node, dict):
        return node.get(step)
    if isinstance(node, list) and isinstance(step, int) and step < len(node):
        return node[step]
    return None


def _key_faults(path: Path, node: dict[Any, Any]) -> Iterator[tuple[Path, str]]:
    if any(not isinstance(key, str) for key in node):
        yield path, "names of fields must be text"
    if isinstance(node, RawObject):
        yield from (((*path, key), "is there twice") for key in node.twice)


def replaced(node: Any, parts: Mapping[Path, Any]) -> Any:
    """A raw node in which other parts stand at some paths; the shortest path is put last, and so rules."""
    for path in sorted(parts, key=len, reverse=True):
        *way, last = path
        inner = node
        for step in way:
            inner = child(inner, step)
        inner[last] = parts[path]
    return node
