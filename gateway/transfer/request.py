"""From a URL to what is asked: routes, typed parameters, the organisation asked for (R7, R68, R74).

Pure. Everything that is not declared by a schema is refused here, with an error that names declared names only,
never what came from outside (house rules 1 and 8). Leaves out: whether it may be answered (`core.gate.decide`), what
mapped ids stand for (`flow`), bodies (`formats`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import parse_qsl, quote, quote_plus, unquote_to_bytes, urlencode

from gateway.core.model import Finding
from gateway.core.policy.schema import SHAPING, Parameter, Route, Schema
from gateway.core.policy.terms import Organisation
from gateway.core.reasons import Reason, first

OIN = "OIN"
"""The type of a location's routeringskenmerk, among its ids in gateway.yaml."""
_LONGEST_VALUE = 512  # characters; no id or code of a known format is longer than an ECK iD (~170)
_LONGEST_SHAPING = 2_048  # a list of fields, a filter, an anchor
_MOST_PARAMETERS = 32
_REMEMBERED = 2_000  # queries of one path
_LONGEST_REMEMBERED = 512  # bytes of one; what is longer, a filter, is seldom asked again
# RFC 3986 section 5.2.4: a dot segment is no value; whoever reads the path next takes it for another route.
_NO_VALUE = frozenset({"", ".", ".."})


class Stop(Exception):
    """The transfer ends here. `about` may be told outside: it holds words of our own schemas only."""

    def __init__(self, reason: Reason, about: str = "", findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.about = about
        self.findings = findings or (Finding(reason, about),)

    @classmethod
    def at(cls, findings: tuple[Finding, ...]) -> Stop:
        """All that spoke; the first in the gate order answers."""
        return cls(first([finding.reason for finding in findings]), findings=findings)


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as the data plane received it: raw path and query, header names in lower case.
    `body` reads it, bounded in size and time; raises Stop(BODY_TOO_LARGE) or Stop(BODY_INVALID)."""

    method: str
    raw_path: bytes = field(repr=False)
    query: bytes = field(repr=False)
    headers: Mapping[bytes, bytes] = field(repr=False)
    origin: str = field(repr=False)
    body: Callable[[], Awaitable[bytes]] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """The route that a path and method name, with the decoded values of its path parameters. `asked` remembers what
    its queries were read as: a vendor asks the same again and again."""

    source: str
    schema: Schema
    route: Route
    values: Mapping[str, str] = field(repr=False)
    asked: dict[bytes, Asked] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query asks: the locations it covers (None: the route names no organisation), mapped ids still to be
    resolved, persons likewise, and what goes up unchanged. `organisation` holds the parameters that name it upstream;
    `encoded` is what goes up whatever the mapped ids stand for; `shaping`, by what it means, never goes up. `part`: one
    vestiging of a location that has several, so that who is missing may be at another."""

    locations: frozenset[str] | None
    organisation: tuple[tuple[str, str], ...]
    things: tuple[tuple[Parameter, str], ...] = field(default=(), repr=False)
    plain: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    encoded: str = field(default="", repr=False)
    people: tuple[tuple[Parameter, str], ...] = field(default=(), repr=False)
    shaping: Mapping[str, str] = field(default_factory=dict, repr=False)
    part: bool = False


class Router:
    """The routes of every source, compiled once: exact paths by look-up, templates by number of segments."""

    def __init__(self, sources: Mapping[str, Iterable[Schema]]) -> None:
        self._matched: dict[tuple[bytes, str, str], Match] = {}
        self._routes: dict[tuple[str, int], list[tuple[tuple[str, ...], Schema, Route]]] = {}
        for source, schemas in sources.items():
            for schema in schemas:
                for route in schema.routes:
                    template = tuple(_segments(schema.base_path) + _segments(route.path))
                    self._routes.setdefault((source, len(template)), []).append((template, schema, route))
        for candidates in self._routes.values():
            candidates.sort(key=lambda candidate: [part.startswith("{") for part in candidate[0]])

    def match(self, raw_path: bytes, method: str, action: str = "") -> Match:
        """The one route of this path and method, and in SOAP this action; Stop(ROUTE_UNKNOWN) or
        Stop(METHOD_NOT_ALLOWED)."""
        known = self._matched.get((raw_path, method, action))
        if known is None:
            known = self._match(raw_path, method, action)
            # as many as there are routes: a path with an id, or written otherwise (%2F), is read each time, and an
            # action no other route has none
            if not known.values and b"%" not in raw_path and (known.route.soap is not None or not action):
                self._matched[raw_path, method, action] = known
        return known

    def _match(self, raw_path: bytes, method: str, action: str) -> Match:
        source, *segments = _decoded(raw_path)
        methods, actions = [], []
        for template, schema, route in self._routes.get((source, len(segments)), ()):
            values = _fit(template, segments)
            if values is None:
                continue
            if route.method == method and (route.soap is None or route.soap.action == action):
                return Match(source, schema, route, values)
            methods.append(route.method)
            actions += [route.soap.action] if route.soap is not None and route.method == method else []
        if actions:
            raise Stop(Reason.ROUTE_UNKNOWN, "SOAPAction: " + ", ".join(actions))
        raise (
            Stop(Reason.METHOD_NOT_ALLOWED, ", ".join(dict.fromkeys(methods)))
            if methods
            else Stop(Reason.ROUTE_UNKNOWN)
        )


def _segments(path: str) -> list[str]:
    """A slash at the end is a segment with nothing in it: another path than without."""
    return [*(segment for segment in path.split("/") if segment), *([""] if path.endswith("/") else [])]


def _decoded(raw_path: bytes) -> list[str]:
    """Segments decoded one by one, so that %2F stays inside its segment."""
    parts = raw_path.split(b"/")
    if parts[0] != b"" or len(parts) < 2:
        raise Stop(Reason.ROUTE_UNKNOWN)
    try:
        return [unquote_to_bytes(part).decode("utf-8") for part in parts[1:]]
    except UnicodeDecodeError:
        raise Stop(Reason.ROUTE_UNKNOWN) from None


def _fit(template: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    values = {}
    for part, segment in zip(template, segments, strict=True):
        if part.startswith("{"):
            if segment in _NO_VALUE or len(segment) > _LONGEST_VALUE:
                return None
            values[part[1:-1]] = segment
        elif part != segment:
            return None
    return values


def ask(match: Match, query: bytes, organisation: Organisation) -> Asked:
    """Read a query strictly by the route's declared parameters. Raises Stop(PARAMETER_…). `organisation` is the one of
    this process."""
    known = match.asked.get(query)
    if known is None:
        known = _ask(match, query, organisation)
        if len(query) <= _LONGEST_REMEMBERED:
            if len(match.asked) >= _REMEMBERED:
                match.asked.clear()
            match.asked[query] = known
    return known


def _ask(match: Match, query: bytes, organisation: Organisation) -> Asked:
    given = _given(match, query)
    declared = {parameter.name: parameter for parameter in match.route.parameters}
    for name, value in given.items():
        check(declared[name], value)
    required(match.route.parameters, given)
    used = [(parameter, given[parameter.name]) for parameter in match.route.parameters if parameter.name in given]
    things = [(parameter, value) for parameter, value in used if parameter.meaning == "thing"]
    plain = [(one.name, value) for one, value in used if one.meaning == "plain" and one.place == "query"]
    people = [(parameter, value) for parameter, value in used if parameter.meaning == "person"]
    shaping: dict[str, str] = {parameter.meaning: value for parameter, value in used if parameter.meaning in SHAPING}
    locations, upstream = _organisation(match, given, organisation)
    encoded, kind = urlencode([*upstream, *plain]), _kind(match, given)
    part = locations is not None and is_part(organisation, kind, locations)
    return Asked(locations, upstream, tuple(things), tuple(plain), encoded, tuple(people), shaping, part)


def _kind(match: Match, given: Mapping[str, str]) -> str | None:
    """Of the id by which a location is asked for."""
    names = {parameter.meaning: parameter.name for parameter in match.route.parameters}
    if "organisation-place" in names:
        return match.schema.location_type
    return given.get(names.get("organisation-id-type", ""))


def is_part(organisation: Organisation, kind: str | None, locations: Iterable[str]) -> bool:
    """Whether one id of this kind names less than a location: it has several, as vestigingen that the school holds for
    one."""
    ids = [organisation.locations[name].ids for name in locations]
    return any(sum(one == kind for one, _ in known) > 1 for known in ids)


def _given(match: Match, query: bytes) -> dict[str, str]:
    declared = {parameter.name: parameter for parameter in match.route.parameters}
    try:
        pairs = parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(query),
            max_num_fields=_MOST_PARAMETERS,
            errors="strict",
        )
    except ValueError:
        raise Stop(Reason.PARAMETER_INVALID) from None
    given = dict(match.values)
    for name, value in pairs:
        parameter = declared.get(name)
        if parameter is None or parameter.place != "query":
            raise Stop(Reason.PARAMETER_UNKNOWN, _names(match.route.parameters))
        if name in given and parameter.meaning != "selection":
            raise Stop(Reason.PARAMETER_INVALID, name)
        # a list comes with commas, or name by name (OpenAPI, style form)
        given[name] = f"{given[name]},{value}" if name in given else value
    return given


def _names(parameters: tuple[Parameter, ...]) -> str:
    return "declared: " + ", ".join(parameter.name for parameter in parameters if parameter.place == "query")


def check(parameter: Parameter, value: str) -> None:
    """Raises Stop(PARAMETER_INVALID)."""
    longest = _LONGEST_SHAPING if parameter.meaning in SHAPING else _LONGEST_VALUE
    fits = 0 < len(value) <= longest and value.isprintable()
    if parameter.type == "boolean":
        fits = value in ("true", "false")
    elif parameter.type == "integer":
        fits = fits and value.isascii() and value.isdigit()
    if not fits or (parameter.values and value not in parameter.values):
        raise Stop(Reason.PARAMETER_INVALID, parameter.name)


def required(parameters: Iterable[Parameter], given: Container[str]) -> None:
    """Raises Stop(PARAMETER_MISSING)."""
    missing = [parameter.name for parameter in parameters if parameter.required and parameter.name not in given]
    if missing:
        raise Stop(Reason.PARAMETER_MISSING, ", ".join(missing))


def _organisation(
    match: Match, given: Mapping[str, str], organisation: Organisation
) -> tuple[frozenset[str] | None, tuple[tuple[str, str], ...]]:
    """Which locations are asked for, and how to say so upstream. Organisation parameters are mandatory (R68)."""
    parameters = match.route.parameters
    names = {parameter.meaning: parameter.name for parameter in parameters}
    if "organisation-oin" in names:
        return _by_oin(parameters, given, organisation)
    if "organisation-place" in names:  # in the path, which goes up as it is
        pair = match.schema.location_type or "", given[names["organisation-place"]]
        return named_locations(organisation, None, (pair,)), ()
    if "organisation-id" not in names and "organisation-master" not in names:
        return None, ()
    master = given.get(names.get("organisation-master", ""))
    number, kind = given.get(names.get("organisation-id", "")), given.get(names.get("organisation-id-type", ""))
    if master is not None and number is None and kind is None:
        # Edu-V: with orgMasterId the filter must be absent; `decide` allows it for all locations only
        return named_locations(organisation, master, ()), ((names["organisation-master"], master),)
    if number is None or kind is None:
        raise Stop(Reason.PARAMETER_MISSING, f"{names['organisation-id']} with {names['organisation-id-type']}")
    if master is not None:
        raise Stop(Reason.PARAMETER_INVALID, names["organisation-master"])
    upstream = [(names["organisation-id"], number), (names["organisation-id-type"], kind)]
    if "organisation-filter" in names:
        # without it a VO source answers for the whole board (Edu-V default); never trust the caller's word
        upstream.append((names["organisation-filter"], "true"))
    return named_locations(organisation, None, ((kind, number),)), tuple(upstream)


def _by_oin(
    parameters: tuple[Parameter, ...], given: Mapping[str, str], organisation: Organisation
) -> tuple[frozenset[str], tuple[tuple[str, str], ...]]:
    """Edukoppeling: on whose behalf a message is sent and received. All must name the same location of ours."""
    named = [one.name for one in parameters if one.meaning == "organisation-oin" and one.name in given]
    places = [named_locations(organisation, None, ((OIN, given[name]),)) for name in named]
    return frozenset.intersection(*places) if places else frozenset(), tuple((name, given[name]) for name in named)


def named_locations(
    organisation: Organisation, master: str | None, pairs: tuple[tuple[str, str], ...]
) -> frozenset[str]:
    """The locations that these identifiers name; empty when one of them names none of ours."""
    named: set[str] = set()
    for pair in pairs:
        hit = {name for name, location in organisation.locations.items() if pair in location.ids}
        if not hit:
            return frozenset()
        named |= hit
    if master is not None:
        if master not in organisation.master:
            return frozenset()
        named = named or set(organisation.locations)
    return frozenset(named)


def upstream_path(match: Match, replaced: Mapping[str, str]) -> str:
    """The path at the source, with path parameters replaced and encoded."""
    base, path = match.schema.base_path, match.route.path
    if not match.values:
        return _whole(base, path)
    values = {**match.values, **replaced}
    parts = _segments(base) + _segments(path)
    return "/" + "/".join(quote(values[part[1:-1]], safe="") if part.startswith("{") else part for part in parts)


@lru_cache(maxsize=256)
def _whole(base: str, path: str) -> str:
    """A path in which nothing is to be replaced."""
    return "/" + "/".join(_segments(base) + _segments(path))


def upstream_query(asked: Asked, replaced: Mapping[str, str]) -> str:
    """The query at the source: organisation first, then what was asked, mapped ids replaced."""
    if not asked.things:
        return asked.encoded
    names = [parameter.name for parameter, _ in asked.things if parameter.place == "query"]
    things = [f"{quote_plus(name)}={quote_plus(replaced[name])}" for name in names]
    return "&".join([asked.encoded, *things] if asked.encoded else things)
