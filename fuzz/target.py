"""What one target of the fuzzing is: something that takes bytes, and what may never come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import process_time

from gateway.core.release.minimised import EnvelopeBroken

CANARY = "kanarie7f3a"
_LARGEST = 10  # times larger than the input an answer of these deliveries is at most, beside what it always has
_SLOWEST = 10.0  # seconds of processor for one small input


class Leaked(Exception):
    """What may not leave did. Holds nothing of it."""


@dataclass(frozen=True, slots=True)
class Target:
    """`run`: what leaves of an input; `seeds`: inputs that are as they should be, and hold the canary; `always`: bytes
    that an answer has beside what its input brings."""

    name: str
    run: Callable[[bytes], bytes] = field(repr=False)
    seeds: tuple[bytes, ...] = field(repr=False)
    always: int = 4_096

    def judge(self, body: bytes) -> None:
        """Raises whatever the target raises beside its own refusal."""
        begun = process_time()
        try:
            left = self.run(body)
        except EnvelopeBroken as broken:
            if CANARY in repr((broken, broken.__cause__, broken.__context__)):
                raise Leaked("a refusal tells a word of the input") from None
            return
        if CANARY.encode() in left:
            raise Leaked("the canary left")
        if len(left) > _LARGEST * len(body) + self.always:
            raise Leaked("the answer outgrew its source")
        if process_time() - begun > _SLOWEST:
            raise Leaked("it took too long")
