"""What a record says of itself: flags that tell which parts of it are there, claims of what the school recorded.

The school's own word counts, never the record's (R57, R109, N26). Leaves out: building the record (`minimiser`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lxml import etree

from gateway.core.model import Subject
from gateway.core.reasons import Reason
from gateway.core.release.claims import denied, recorded
from gateway.core.release.emission import Emission
from gateway.core.release.projection import Branch
from gateway.core.release.sight import Seen
from gateway.core.release.text_guard import Guard
from gateway.formats.xml.plan import Plan, values
from gateway.formats.xml.source import Source


class Demanded(Exception):
    """The standard demands a part of the record of which nothing may leave."""


class Declared:
    """Of the records of one delivery."""

    def __init__(self, root: Branch, source: Source) -> None:
        self._source = source
        self._claimed = {leaf.path: leaf for leaf in values(root) if leaf.path in source.claims}

    def denies(self, record: etree._Element, seen: Seen, emission: Emission) -> bool:
        """R109: a no where the school recorded a yes."""
        if not self._source.claims or seen.reasons or seen.subject is None:
            return False
        sight = emission.sight
        facts = sight.facts.about(seen.subject.id)
        return any(
            denied(claim, text, facts, sight.delivery, sight.today)
            for path, claim in self._source.claims.items()
            for text in self._source.texts(record, path)
        )

    def recorded(
        self, record: etree._Element, about: Sequence[Subject], emission: Emission, guard: Guard
    ) -> dict[str, str]:
        """R57, N26: what leaves where the record speaks of what the school recorded ("": nothing), never its own word.
        Of a record about several nothing was recorded."""
        sight, found = emission.sight, dict[str, str]()
        facts = sight.facts.about(about[0].id) if len(about) == 1 and self._source.claims else None
        for path, claim in self._source.claims.items():
            text = recorded(claim, facts, sight.delivery, sight.today) if facts is not None else None
            spoken = any(one.strip() for one in self._source.texts(record, path))
            found[path] = self._said(path, text, guard) or (claim.nothing if spoken else "")
        return found

    def _said(self, path: str, text: str | None, guard: Guard) -> str | None:
        leaf = self._claimed.get(path)
        said = guard.said(leaf, text) if leaf is not None and text is not None else None
        return None if isinstance(said, Reason) else said

    def flags(self, record: etree._Element) -> dict[str, str]:
        """What the source says in each flag."""
        found = {path: next(self._source.texts(record, path), "").strip() for path in self._source.flags}
        return {path: text for path, text in found.items() if text}

    def closed(self, flags: Mapping[str, str]) -> frozenset[str]:
        """What the source itself says is not there: it does not leave, whatever stands there."""
        known = [(self._source.flags[path].flag, text) for path, text in flags.items()]
        return frozenset(one for flag, text in known if flag and text in flag.closed for one in flag.of)

    def told(self, flags: Mapping[str, str], plan: Plan) -> dict[str, str]:
        """What leaves in each flag. Raises Gone where the standard demands a part of which nothing may leave."""
        told: dict[str, str] = {}
        for path, text in flags.items():
            flag = self._source.flags[path].flag
            if flag is None or plan.any_of(flag.of) or text in flag.closed:
                continue
            if text == flag.demanded:
                raise Demanded
            told[path] = flag.absent
        return told
