"""What an export makes of the rows in its journal: a file, a folder of numbered files, a zip with one for each record.

Of documents in XML there is one for each location, as their standard has it. Rows leave in the order of their
pseudonyms over the whole, whatever the pages, and everybody once. Leaves out: when it is made and where it goes
(`exports`).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from itertools import chain, groupby, islice
from operator import itemgetter
from pathlib import Path

from gateway.adapters.exports.journal import StoredJournal
from gateway.adapters.exports.made import Made, file_beside, folder_made, zip_made
from gateway.adapters.sorted_rows import SortedRows
from gateway.bootstrap.school import random
from gateway.core.file_forms import Form, in_form
from gateway.formats.csv import Flat
from gateway.formats.xml import document_of, leaving, named_in
from gateway.transfer.journal import Page
from gateway.transfer.pages import Shape

NAMES = {Form.ARRAY: "json", Form.LINES: "ndjson", Form.TABLE: "csv", Form.DOCUMENT: "xml"}
_MEMORY = 8 * 1024 * 1024  # bytes of rows before they are sorted on disk
_TOGETHER = 10_000  # records in one file of a folder


@dataclass(slots=True)
class Leaving:
    """Of one run; `folder`: where rows are sorted on disk; `shapes`: of the kinds of records. `records`: how many there
    were, once it is made."""

    journal: StoredJournal
    folder: Path
    form: Form
    shapes: dict[str, Shape]
    records: int = field(default=0, init=False)

    @contextmanager
    def made(self, target: Path, container: str) -> Iterator[Made]:
        """Gone when the block ends, unless it was placed. Raises OSError."""
        self.records = 0
        _forget_killed(target)
        if self.form is Form.DOCUMENT:
            with self._of_documents(target, container) as made:
                yield made
        elif container == "zip":
            with zip_made(target, self._one_each()) as made:
                yield made
        elif container == "folder":
            with folder_made(target, self._numbered()) as made:
                yield made
        else:
            (record,) = self.shapes
            with file_beside(target, self._formed(record, self._rows(record))) as made:
                yield made

    def _of_documents(self, target: Path, container: str) -> AbstractContextManager[Made]:
        """One for each location where somebody is released; the order of their names is theirs in gateway.yaml's."""
        pages = self._pages()
        if container == "file":
            ((page, empty),) = pages.items()
            return file_beside(target, self._document(page, empty))
        several = len(self.shapes) > 1
        files = (
            (f"{f'{page.record}-' if several else ''}{number:04d}.xml", self._document(page, empty))
            for number, (page, empty) in enumerate(pages.items(), 1)
        )
        return zip_made(target, files) if container == "zip" else folder_made(target, files)

    def _pages(self) -> dict[Page, bytes]:
        """With what a document is without anything in it."""
        return {done.page: done.head for done in self.journal.parts() if done.released}

    def _document(self, page: Page, empty: bytes) -> Iterator[bytes]:
        """Read twice: what nobody in it refers to is not in it (R7)."""
        named = named_in(row for rows in self.journal.rows(page.record, page.location) for row in rows)
        return document_of(self._rows(page.record, page.location, named), empty)

    def _one_each(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        for record in self.shapes:
            rows = self._rows(record)
            for first in islice(rows, 1):  # a kind of which nobody has any is no file
                yield f"{record}.{NAMES[self.form]}", self._formed(record, chain([first], rows))

    def _numbered(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        for record in self.shapes:
            rows, before = self._rows(record), f"{record}-" if len(self.shapes) > 1 else ""
            for number, first in enumerate(rows, 1):
                some = chain([first], islice(rows, _TOGETHER - 1))
                yield f"{before}{number:04d}.{NAMES[self.form]}", self._formed(record, some)

    def _formed(self, record: str, rows: Iterable[bytes]) -> Iterator[bytes]:
        if self.form is not Form.TABLE:
            return in_form(self.form, rows)
        flat = Flat(self.shapes[record].paths)
        return in_form(Form.TABLE, map(flat.line, rows), flat.head)

    def _rows(self, record: str, location: str | None = None, named: Container[str] | None = None) -> Iterator[bytes]:
        with closing(SortedRows(self.folder, random, _MEMORY)) as rows:
            for part in self.journal.rows(record, location):
                rows.take(part if named is None else [*leaving(part, named)])
            for row in _once(rows.keyed(), one_each=self.shapes[record].one_each):
                self.records += 1
                yield row


def _once(rows: Iterable[tuple[str, bytes]], *, one_each: bool) -> Iterator[bytes]:
    """Whoever is at two locations stands in the lists of both."""
    for key, same in groupby(rows, itemgetter(0)):
        told: set[bytes] = set()
        for _, text in same:
            if key and ((told and one_each) or text in told):
                continue
            if key:
                told.add(text)
            yield text


def _forget_killed(target: Path) -> None:
    """What a run that was killed while it wrote left beside its place."""
    for one in target.parent.iterdir():
        if one.name.startswith(f".{target.name}.") and one.name.endswith(".part") and one.is_file():
            one.unlink()
