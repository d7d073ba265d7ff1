"""The templates' environment: what is escaped, what may run."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from typing import Literal

import jinja2

from diffcompare import __version__
from diffcompare.errors import shorten
from diffcompare.report.drawings.marks import marks_css
from diffcompare.report.wording import Html, breakable, exactly, percent, plural, printable, share, short

__all__ = ["environment"]


@lru_cache
def environment(kind: Literal["charts", "tables"]) -> jinja2.Environment:
    """Build the environment of pages with charts, or with tables to sort: their style and script, and no more.

    Everything is escaped, a missing name is an error.
    """
    loader = jinja2.PackageLoader("diffcompare.report", "templates")
    made = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if isinstance(value, str) else value,
    )
    source = {name: loader.get_source(made, name)[0] for name in ("page.css", f"{kind}.css", f"{kind}.js")}
    marks = marks_css() if kind == "charts" else ""
    style = _packed_style(source["page.css"] + marks + source[f"{kind}.css"])
    script = _packed_script(source[f"{kind}.js"])
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    made.globals.update(script=Html(script), style=Html(style), policy=policy, version=__version__)
    made.filters.update(
        short=short, share=share, percent=percent, exactly=exactly, shorten=shorten, plural=plural, breakable=breakable
    )
    return made


def _packed_style(text: str) -> str:
    """Leave out comments and the spaces around punctuation."""
    return re.sub(r"\s*([{};,])\s*|(:)\s+", r"\1\2", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)).strip()


def _packed_script(text: str) -> str:
    """Leave out whole-line comments and indents; the ends of lines stay, for they can end a statement."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
