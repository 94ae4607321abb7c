"""What the data plane calls: one answer for one known caller, or a refusal of one nobody knows."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from gateway.core.model import Caller
from gateway.core.reasons import Reason
from gateway.transfer.flow import Flow
from gateway.transfer.inquiry import action_of, inquire
from gateway.transfer.notices import Notices, is_notices
from gateway.transfer.paged import Paged
from gateway.transfer.ports import RegisterUnavailable
from gateway.transfer.push import Push, is_push
from gateway.transfer.refusals import Refusals
from gateway.transfer.released import Answer, Unregistered
from gateway.transfer.remembered import Remembered
from gateway.transfer.request import Match, Request, Stop
from gateway.transfer.steps import Outside, Sizes, unregistered
from gateway.transfer.upload import Upload, is_upload
from gateway.transfer.writeback import WriteBack


class Transfers:
    """One per process."""

    def __init__(self, outside: Outside, sizes: Sizes) -> None:
        self._world = outside.world
        remembered = Remembered(outside.world)
        self._flow = Flow(outside, sizes, remembered)
        self._writeback = WriteBack(outside, sizes, remembered)
        self._notices = Notices(outside, sizes, remembered)
        self._refusals = Refusals(outside.register, outside.clock, outside.random, outside.world.digest)

    async def answer(self, caller: Caller, request: Request) -> Answer:
        """Match, inquire, and go the way of the route. Every refusal is registered before it is told."""
        return _told(caller, await self._answer(caller, request))

    async def _answer(self, caller: Caller, request: Request) -> Answer:
        if is_upload(request.raw_path):
            return await Upload(self._flow.outside, self._flow.sizes, self._flow.remembered).answer(caller, request)
        if is_push(request.raw_path):
            return await Push(self._flow.outside, self._flow.sizes, self._flow.remembered).answer(caller, request)
        if is_notices(request.raw_path):
            return await self._notices.answer(caller, request)
        trail = self._flow.begin(caller)
        try:
            match = self._world.now().compiled.router.match(request.raw_path, request.method, action_of(request))
            trail = trail.at(match)
            inquiry = await inquire(match, request, self._world.organisation, depth=self._flow.sizes.depth)
            if match.route.write is not None:
                return await self._writeback.answer(trail, match, inquiry)
            if _in_pages(match):
                flow = self._flow
                return await Paged(flow.outside, flow.sizes, flow.remembered).read(trail, match, inquiry)
            return await self._flow.read(trail, match, inquiry)
        except Stop as stop:
            return await self._flow.refuse(trail, stop)
        except RegisterUnavailable:
            return unregistered(trail)

    async def refuse(self, caller: Caller, stop: Stop) -> Answer:
        """A refusal that came before the way was known."""
        return _told(caller, await self._flow.refuse(self._flow.begin(caller), stop))

    async def refuse_anonymous(self, origin: str, reason: Reason) -> Answer:
        return await self._refusals.refuse(origin, reason)

    def unavailable(self) -> Answer:
        """Nothing can be registered, hence nothing be said but that."""
        return Unregistered(self._flow.new_id())

    async def flush(self, *, ended_only: bool) -> None:
        """Register what was only counted: of minutes that ended, or (before the process stops) all."""
        with contextlib.suppress(RegisterUnavailable):  # the first of each was registered at once
            await self._refusals.flush(ended_only=ended_only)


def _told(caller: Caller, answer: Answer) -> Answer:
    return replace(answer, school=True) if caller.kind == "school" else answer


def _in_pages(match: Match) -> bool:
    """A list that nobody can ask for page by page is one answer."""
    asked = any(one.meaning == "limit" for one in match.route.parameters)
    return match.schema.paging is not None and (asked or not match.route.many)
