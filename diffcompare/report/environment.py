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
from diffcompare.report.wording import (
    Html,
    breakable,
    exactly,
    percent,
    place,
    plural,
    printable,
    share,
    short,
    unbroken,
)

__all__ = ["environment"]


@lru_cache
def environment(*kinds: Literal["charts", "tables"]) -> jinja2.Environment:
    """Build the environment of pages with charts, with tables to sort, or both: their style and script, and no more.

    Everything is escaped, a missing name is an error.
    """
    loader = jinja2.PackageLoader("diffcompare.report", "templates")
    made = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # what has markup was made of parts that were
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    styles, scripts = (
        [loader.get_source(made, f"{name}.{ending}")[0] for name in names]
        for ending, names in (("css", ("page", *kinds)), ("js", kinds))
    )
    style = _packed_style("".join([styles[0], marks_css() if "charts" in kinds else "", *styles[1:]]))
    script = _packed_script("".join(scripts))
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    made.globals.update(script=Html(script), style=Html(style), policy=policy, version=__version__)
    made.filters.update(
        short=short,
        share=share,
        percent=percent,
        exactly=exactly,
        shorten=shorten,
        plural=plural,
        breakable=breakable,
        place=place,
        unbroken=unbroken,
        paragraphs=lambda text: re.split(r"\n\s*\n", text),
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
