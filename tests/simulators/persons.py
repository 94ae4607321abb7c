"""Persons who are signed in, made without signing in."""

from __future__ import annotations

from gateway.core.persons import Actor, Held, PersonRole


def somebody(name: str = "a person", *roles: PersonRole) -> Actor:
    """With these roles; without any: with every role that is held everywhere."""
    held = roles or [role for role in PersonRole if role is not PersonRole.LOCATION_ADMIN]
    return Actor(name, frozenset(map(Held, held)), confidential=True)


def somebody_at(location: str, name: str = "a person") -> Actor:
    """A location-admin."""
    return Actor(name, frozenset({Held(PersonRole.LOCATION_ADMIN, location)}), confidential=True)
