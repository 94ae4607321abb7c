"""Where the shipped schemas and recipient templates are, and how a template's questions are answered."""

from __future__ import annotations

from pathlib import Path

from gateway.adapters.policy.answers import answers as answered

__all__ = ["SHARE", "answered"]

_PACKAGE = Path(__file__).resolve().parents[1]

SHARE = _PACKAGE / "share" if (_PACKAGE / "share").is_dir() else _PACKAGE.parent
"""The folder that holds schemas/ and recipients/: inside an installed package, or the root of a checkout."""
