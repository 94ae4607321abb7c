"""Seeds cut, doubled, turned and joined by hypothesis: `python -m fuzz.mutated [examples]`."""

from __future__ import annotations

import sys
from time import perf_counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.target import Target
from fuzz.targets import targets

_WORDS = st.sampled_from(
    b"< > & \" ' / , ; { } [ ] : = ]]> <!-- --> <![CDATA[ <!DOCTYPE <?a?> &#0; &#x41; \\u0000 null NaN 1e999".split(
        b" "
    )
    + b"xmlns='' kanarie7f3a l1 l2 00121 =cmd 2015-03-01 true".split(b" ")
    + b"PK\x03\x04 PK\x01\x02 \x00 \xff\xfe \xef\xbb\xbf \r \n \t \x80 \xc3".split(b" ")
)
_EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), _WORDS | st.binary(max_size=8), st.integers(1, 3)), max_size=8
)


def edited(body: bytes, edits: list[tuple[float, int, bytes, int]]) -> bytes:
    """Each edit: where, how much goes, what comes instead, how often."""
    for place, gone, put, times in edits:
        at = int(place * len(body))
        body = body[:at] + put * times + body[at + gone :]
    return body


def fuzz(target: Target, examples: int) -> int:
    """How many inputs were judged. Raises what the target raises."""
    judged = 0

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=[*HealthCheck])
    @given(seed=st.sampled_from(target.seeds), edits=_EDITS)
    def run(seed: bytes, edits: list[tuple[float, int, bytes, int]]) -> None:
        nonlocal judged
        judged += 1
        target.judge(edited(seed, edits))

    run()
    return judged


def main() -> None:
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    for target in targets().values():
        begun = perf_counter()
        fuzz(target, examples)
        print(f"{target.name}: {examples} inputs made by hypothesis in {perf_counter() - begun:.0f} s, nothing wrong")


if __name__ == "__main__":
    main()
