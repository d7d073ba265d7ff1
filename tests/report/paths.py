"""Paths of drawings, with absolute coordinates again."""

from __future__ import annotations

import re

__all__ = ["absolute"]


def absolute(d: str) -> str:
    """Write every move and line with the place where it ends: M10,20L20,30; other commands stay."""
    made, x, y = "", 0.0, 0.0
    for letter, text in re.findall(r"([A-Za-z])([^A-Za-z]*)", d):
        if letter not in "MmlL":
            made += letter + text
            continue
        numbers = [float(number) for number in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", text)]
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = (dx, dy) if letter.isupper() else (x + dx, y + dy)
            made += f"{letter.upper()}{x:.1f},{y:.1f}".replace(".0,", ",").removesuffix(".0")
    return made
