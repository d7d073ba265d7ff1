"""The templates' environment: what is escaped, what may run."""

from __future__ import annotations

import base64
import hashlib

import jinja2

from diffcompare import __version__
from diffcompare.errors import shorten
from diffcompare.report.wording import Html, exactly, percent, plural, printable, share, short

__all__ = ["environment"]


def environment() -> jinja2.Environment:
    """Build the templates' environment: everything is escaped, a missing name is an error."""
    loader = jinja2.PackageLoader("diffcompare.report", "templates")
    made = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if isinstance(value, str) else value,
    )
    script, style = (loader.get_source(made, name)[0].strip() for name in ("page.js", "page.css"))
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    made.globals.update(script=Html(script), style=Html(style), policy=policy, version=__version__)
    made.filters.update(short=short, share=share, percent=percent, exactly=exactly, shorten=shorten, plural=plural)
    return made


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
