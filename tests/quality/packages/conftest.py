"""The packages of the trial are an extra: without them their pairs cannot be imported, and hold no tests."""

from __future__ import annotations

collect_ignore_glob = ["*_pairs.py"]
