"""The one exit of the data plane (house rule 6): status, allow-listed headers, body. Nothing of a source is relayed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from gateway.core.reasons import Reason
from gateway.formats.xml.soap import fault
from gateway.transfer.released import JSON, SOAP, Answer, Released

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

PROBLEM = b"application/problem+json"
_RETRY_AFTER = b"5"  # seconds; long enough for a reload or a restart, short enough for a class that waits


class BrokenOff(Exception):
    """An answer that had begun may not go on: whoever serves it closes the connection. Says the kind of error only."""


async def leave(answer: Answer, send: Send) -> None:
    """Send an answer whose entry is durable, or the one that says there is none. Raises BrokenOff."""
    status, media, body = _content(answer)
    size = len(body) if isinstance(body, bytes) else None
    await send({"type": "http.response.start", "status": status, "headers": _headers(answer, media, status, size)})
    if isinstance(body, bytes):
        await send({"type": "http.response.body", "body": body})
    else:
        await _stream(body, send)


def _content(answer: Answer) -> tuple[int, bytes, bytes | AsyncIterator[bytes]]:
    if isinstance(answer, Released) and answer.body is not None:
        return answer.status, answer.media, answer.body
    reason = answer.reason or Reason.INTERNAL
    about = answer.about if isinstance(answer, Released) else ""
    return problem(answer.shape, reason, about, school=answer.school)


def problem(shape: str, reason: Reason, about: str = "", *, school: bool = False) -> tuple[int, bytes, bytes]:
    """(status, media type, body) in the shape of the format that was called (Edu-V StatusResponse, or a list of
    them; OneRoster imsx_StatusInfo; a SOAP fault), else an RFC 9457 problem. `about` holds words of our own schemas
    only; the sentence is the school's own, in Dutch, where its own system called."""
    outward = reason.outward
    status, sentence = outward.meaning.status, outward.meaning.school if school else outward.meaning.recipient
    detail = f"{sentence} ({about})" if about and reason is outward else sentence
    if shape == "problem":
        return status, PROBLEM, orjson.dumps({"status": status, "title": outward.value, "detail": detail})
    if shape == "soap":
        return _fault(outward, sentence, about if reason is outward else "")
    # one word only where a pupil is concerned (house rule 5)
    message = outward.value if outward is Reason.NOT_AVAILABLE else f"{outward.value}: {detail}"
    if shape == "eindtoets":
        return _OF_EINDTOETS.get(outward, status), JSON, orjson.dumps({"melding": message})
    if shape == "oneroster":
        return status, JSON, orjson.dumps(_status_info(status, message, about))
    entry = {"status": status, "statusMessage": message}
    return status, JSON, orjson.dumps([entry] if shape == "edu-v-list" else entry)


# What a server says of HTTP itself, before there is a message to answer; anything else leaves with a fault, and a fault
# with 500 (SOAP 1.1 section 6.2): many clients read none under another status.
_OF_HTTP = frozenset({401, 404, 405, 406, 413, 415, 429, 503})


def _fault(outward: Reason, sentence: str, about: str) -> tuple[int, bytes, bytes]:
    status = outward.meaning.status
    code = "Client" if status < 500 else "Server"
    return status if status in _OF_HTTP else 500, SOAP, fault(code, outward.value, sentence, about)


# Where the Eindtoetsketen has a status of its own: the school is not known; the message was received, and is wrong.
_OF_EINDTOETS = {
    Reason.LOCATION_OUT_OF_SCOPE: 405,
    Reason.BODY_INVALID: 422,
    Reason.NOT_AVAILABLE: 422,
    Reason.STATEMENT_REFUSED: 422,
}


_MINOR = {400: "invaliddata", 401: "unauthorisedrequest", 403: "forbidden", 404: "unknownobject"}
_BUSY = frozenset({429, 503})


def _status_info(status: int, message: str, about: str) -> dict[str, Any]:
    """1EdTech's imsx_StatusInfo, with the codes that OneRoster 1.2 knows."""
    minor = _MINOR.get(status, "server_busy" if status in _BUSY else "internal_server_error")
    asked = about.partition(":")[0]
    if status == 400 and asked == "fields":
        minor = "invalid_selection_field"
    elif status == 400 and asked in ("filter", "sort"):
        minor = "invalid_filter_field"
    told = {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": minor}
    return {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_description": message,
        "imsx_CodeMinor": {"imsx_codeMinorField": [told]},
    }


def _headers(answer: Answer, media: bytes, status: int, size: int | None) -> Headers:
    transfer = answer.receipt.id if isinstance(answer, Released) else answer.id
    headers = [(b"content-type", media), (b"cache-control", b"no-store"), (b"gateway-transfer", transfer.encode())]
    if size is not None:
        headers.append((b"content-length", str(size).encode()))
    if answer.purpose is not None:
        # delivered with the data, so that the recipient knows what it may be used for (R1, D11)
        headers.append((b"purpose", answer.purpose.encode()))
    if answer.reason is not None:
        headers.append((b"gateway-reason", answer.reason.outward.value.encode()))
    if answer.reason is Reason.METHOD_NOT_ALLOWED and isinstance(answer, Released):
        headers.append((b"allow", answer.about.encode()))  # RFC 9110 section 15.5.6
    elif status == 405:
        headers.append((b"allow", b"POST"))  # as the Eindtoetsketen says that it does not know a school
    if isinstance(answer, Released):
        headers += answer.headers
    if status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="gateway"'))
    if status in (429, 503):
        headers.append((b"retry-after", _RETRY_AFTER))
    return headers


async def _stream(parts: AsyncIterator[bytes], send: Send) -> None:
    """Parts whose entries are durable. A part that may not leave raises: the answer is then broken off without its
    end, so that the client sees that it is not whole; another answer cannot follow what has begun."""
    try:
        async for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
    # the outermost edge: whatever it was, the server logs what leaves here, and a text may hold a pupil's name
    except Exception as error:  # noqa: BLE001 - whatever it is, half an answer is no answer
        raise BrokenOff(type(error).__name__) from None
    await send({"type": "http.response.body", "body": b""})
