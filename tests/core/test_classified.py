"""What leaves by its content only: the digests that name it."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import pytest

from gateway.core.model import FieldClass
from gateway.core.release.classified import WAITS, of_document, of_text, waiting_for


def test_document_is_named_as_sha256sum_names_the_file() -> None:
    assert of_document(b64encode(b"%PDF-1.7").decode(), "base64") == sha256(b"%PDF-1.7").digest()
    assert of_document("verslag", None) == sha256(b"verslag").digest()


@pytest.mark.parametrize("broken", ["a", "aa=a", "geen base64!", "é", "JVBERi1="])
def test_what_is_no_base64_has_no_name(broken: str) -> None:
    assert of_document(broken, "base64") is None


def test_lines_of_base64_are_one_file() -> None:
    assert of_document("JVBE\n Ri0=\n", "base64") == of_document("JVBERi0=", "base64")


def test_text_is_named_by_every_letter() -> None:
    assert of_text("a") == of_text("a") != of_text("A")


def test_text_is_not_named_as_a_document_is() -> None:
    assert of_text("a") != of_document("a", None)


def test_reasons_of_content_are_those_that_wait() -> None:
    assert {waiting_for(one) for one in FieldClass} == WAITS
