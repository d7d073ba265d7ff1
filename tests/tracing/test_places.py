"""What happens in diffcompare's own files is no code of the user's, in whichever folder of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.tracing import places
from diffcompare.tracing.places import PACKAGE, defined_at, is_foreign, is_library, raised_at

OWN = [path for path in Path(dc.__file__).parent.rglob("*.py") if path.name != "__init__.py"]


def test_every_file_of_the_package_is_ours_and_this_one_is_not() -> None:
    assert all(is_library(str(path)) and is_foreign(str(path)) for path in OWN)
    assert not is_library(__file__)
    assert not is_foreign(__file__)
    # what stands beside the package is the user's
    assert not is_foreign(str(Path(PACKAGE).parent / "model.py"))


def test_the_recorder_is_a_file_of_the_package() -> None:
    assert Path(places._RECORDER) in OWN


def test_a_place_is_the_users() -> None:
    assert defined_at(dc.check_gradient) == ""
    with pytest.raises(ValueError, match="last axis") as caught:
        dc.parse("x*y")(np.zeros(3))
    assert raised_at(caught.value).startswith("test_places.py:")
