"""PyTorch functions handed in as they are: given tensors of the type that the point has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffcompare as dc

torch = pytest.importorskip("torch", reason="PyTorch is an extra; .ci/run installs it where it is small")


def f(x: Any) -> Any:
    return torch.sum(torch.exp(x) * torch.sin(x)) + torch.prod(x)


FORMULA = "exp(x0)*sin(x0) + exp(x1)*sin(x1) + x0*x1"


def gradient(x: Any) -> Any:
    x = x.clone().requires_grad_()
    (found,) = torch.autograd.grad(f(x), x)
    return found


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("formula", [None, FORMULA])
@pytest.mark.parametrize("claim", [gradient, torch.func.grad(f)])
def test_gradients_of_torch_are_right(dtype: str, formula: str | None, claim: Any) -> None:
    at = torch.tensor([0.3, 1.7], dtype=getattr(torch, dtype))
    verdict = dc.check_gradient(f, claim, at, formula=formula)
    assert verdict.status == "consistent", verdict.explain()
    unit = 2.0**-24 if dtype == "float32" else 2.0**-53
    # what is seen is that type's rounding, and a fault far above it would be
    assert verdict.rounding <= 2**8 * unit
    if formula:
        assert verdict.resolution <= 2**14 * unit


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_wrong_gradient_is_wrong(dtype: str) -> None:
    at = torch.tensor([0.3, 1.7], dtype=getattr(torch, dtype), requires_grad=True)
    verdict = dc.check_gradient(f, lambda x: 1.01 * gradient(x), at, formula=FORMULA)
    assert (verdict.status, verdict.blame) == ("wrong", "gradient")
    assert dc.check_gradient(f, lambda x: 2 * gradient(x), at).status == "wrong"


def test_a_point_of_numpy_is_given_as_64_bit_tensors() -> None:
    seen = []

    def watched(x: Any) -> Any:
        seen.append(x.dtype)
        return f(x)

    assert dc.check_gradient(watched, gradient, np.array([0.3, 1.7]), formula=FORMULA).ok
    assert {dtype for dtype in seen if isinstance(dtype, torch.dtype)} == {torch.float64}


def test_parameters_in_a_dict() -> None:
    def network(p: Any) -> Any:
        return torch.sum(torch.tanh(p["W"] @ torch.tensor([0.5, -1.0], dtype=p["W"].dtype) + p["b"]) ** 2)

    at = {"W": torch.tensor([[0.1, 0.2], [0.3, -0.4]], dtype=torch.float64), "b": torch.ones(2, dtype=torch.float64)}
    assert dc.check_gradient(network, torch.func.grad(network), at).status == "consistent"
    wrong = dc.check_gradient(network, lambda p: {**torch.func.grad(network)(p), "b": torch.zeros(2)}, at)
    assert wrong.status == "wrong"
