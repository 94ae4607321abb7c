"""formats.json.nesting: the depth of a body is known before it is read."""

from __future__ import annotations

import pytest

from gateway.formats.json.nesting import too_deep


@pytest.mark.parametrize("body", [b"[[[]]]", b'{"a":{"b":{}}}', b"[[[" * 20_000])
def test_nesting_beyond_the_bound_is_too_deep(body: bytes) -> None:
    assert too_deep(body, 2)


@pytest.mark.parametrize("body", [b"", b"1", b"[[],[],[[]]]", b'{"a":"[[[[[[","b":"\\"[[[["}', b'"[[[[', b"]]]][["])
def test_nesting_within_the_bound_is_not(body: bytes) -> None:
    assert not too_deep(body, 3)
