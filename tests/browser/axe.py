"""What axe-core objects to."""

from __future__ import annotations

from importlib.resources import files

from .driver import Browser

__all__ = ["axe"]


def axe(tab: Browser) -> list[str]:
    """What axe-core objects to on the page that is open."""
    source = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    tab.run(source)
    found = tab.command(
        "POST",
        "/execute/async",
        {
            "script": "axe.run().then((r) => arguments[0](r.violations.map((v) => `${v.id}: ${v.nodes[0].html}`)))",
            "args": [],
        },
    )
    assert isinstance(found, list)
    return found
