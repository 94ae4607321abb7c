"""Released records in the order of their pseudonyms, however many: in memory up to a bound, then in runs on disk.

A run is encrypted under a key that lives in this process only, in a file without a name: whatever ends the process,
nobody reads it afterwards. Nothing that was withheld comes here. Leaves out: where the records go then
(`file_output`).
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from operator import itemgetter
from pathlib import Path
from typing import IO

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MEMORY = 8 * 1024 * 1024  # bytes of records before they are written to disk
_BLOCK = 64 * 1024  # bytes of records in one block; of every run one block is in memory while they are merged
_OVERHEAD = 200  # bytes that Python takes for a row beside its text
_NONCE = 12

Row = tuple[str, bytes]


@dataclass(slots=True)
class SortedRows:
    """`take` as many as there are, then iterate once. `directory`: where runs are kept, of the same protection as what
    is made of them; `random`: for the key. Raises OSError."""

    directory: Path
    random: Callable[[int], bytes]
    memory: int = _MEMORY
    _rows: list[Row] = field(default_factory=list, repr=False)
    _size: int = 0
    _file: IO[bytes] | None = field(default=None, repr=False)
    _cipher: AESGCM | None = field(default=None, repr=False)
    _runs: list[list[tuple[int, int]]] = field(default_factory=list, repr=False)
    _blocks: Iterator[int] = field(default_factory=count, repr=False)

    def take(self, rows: Sequence[Row]) -> None:
        self._rows.extend(rows)
        self._size += sum(len(text) for _, text in rows) + _OVERHEAD * len(rows)
        if self._size >= self.memory:
            self._spill()

    def __iter__(self) -> Iterator[bytes]:
        return (text for _, text in self.keyed())

    def keyed(self) -> Iterator[Row]:
        """With what orders them."""
        self._rows.sort(key=itemgetter(0))
        runs = [*(self._run(blocks) for blocks in self._runs), iter(self._rows)]
        return heapq.merge(*runs, key=itemgetter(0))

    def close(self) -> None:
        """Everything is forgotten."""
        self._rows.clear()
        self._runs.clear()
        if self._file is not None:
            self._file.close()

    def _spill(self) -> None:
        if self._file is None or self._cipher is None:
            self._file = tempfile.TemporaryFile(dir=self.directory)  # noqa: SIM115 - closed by close()
            self._cipher = AESGCM(self.random(32))
        self._rows.sort(key=itemgetter(0))
        file, cipher = self._file, self._cipher
        self._runs.append([_written(file, cipher, next(self._blocks), block) for block in _in_blocks(self._rows)])
        self._rows, self._size = [], 0

    def _run(self, blocks: Iterable[tuple[int, int]]) -> Iterator[Row]:
        file, cipher = self._file, self._cipher
        assert file is not None
        assert cipher is not None
        for at, size in blocks:
            yield from _opened(file, cipher, at, size)


_ROWS = msgspec.msgpack.Decoder(list[tuple[str, bytes]])


def _opened(file: IO[bytes], cipher: AESGCM, at: int, size: int) -> list[Row]:
    """One block; what it was made of is gone when this returns."""
    file.seek(at)
    sealed = file.read(size)
    return _ROWS.decode(cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], None))


def _in_blocks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    block: list[Row] = []
    size = 0
    for row in rows:
        block.append(row)
        size += len(row[1])
        if size >= _BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


def _written(file: IO[bytes], cipher: AESGCM, number: int, block: list[Row]) -> tuple[int, int]:
    """Where it stands. The key is used for this file only, so a number is a nonce that never comes twice."""
    nonce = number.to_bytes(_NONCE, "big")
    sealed = nonce + cipher.encrypt(nonce, msgspec.msgpack.encode(block), None)
    at = file.seek(0, 2)
    file.write(sealed)
    return at, len(sealed)
