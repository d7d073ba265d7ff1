"""PyTorch functions handed in as they are: run in the type that the point has, judged through their graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import diffcompare as dc

torch = pytest.importorskip("torch", reason="PyTorch is an extra; .ci/run installs it where it is small")
nn, F = torch.nn, torch.nn.functional


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


D = torch.float64
X = torch.tensor([[1.0, 2.0, -0.5], [3.0, -1.0, 0.3], [0.5, 0.25, 1.0], [-1.0, 0.7, 0.2]], dtype=D)
Y = torch.tensor([1.0, 0.0, 1.0, 0.0], dtype=D)
CLASSES = torch.tensor([0, 2, 1, 2])
W = [0.3, -0.2, 0.7]
IMAGE = torch.sin(torch.arange(64, dtype=D)).reshape(1, 1, 8, 8)


def logistic(w: Any) -> Any:
    return F.binary_cross_entropy_with_logits(X @ w, Y) + 0.1 * torch.sum(w**2)


def written_into(w: Any) -> Any:
    out = torch.zeros(3, dtype=w.dtype)
    out[0] = w[0] * w[1]
    out[1:] += torch.exp(w[1:])
    out.mul_(w)
    return torch.sum(out**2)


def process(t: Any) -> Any:
    distances = ((X[:, None] - X[None]) ** 2).sum(-1)
    kernel = torch.exp(t[0] - distances / 2 * torch.exp(-2 * t[1])) + torch.exp(t[2]) * torch.eye(4, dtype=t.dtype)
    lower = torch.linalg.cholesky(kernel)
    return Y @ torch.cholesky_solve(Y[:, None], lower)[:, 0] / 2 + lower.diagonal().log().sum()


def matrices(w: Any) -> Any:
    a = torch.diag(w**2 + 1) + 0.1 * torch.outer(w, w)
    return torch.linalg.solve(a, X[0]).sum() + torch.logdet(a) + torch.linalg.inv(a)[0, 1]


def determinants(w: Any) -> Any:
    a = torch.outer(w, X[0]) + torch.diag(w + 2)
    # 0 on the diagonal is no pivot
    b = w[1] * torch.tensor([[0.0, 1, 1], [2, 0, 1], [1, 1, 0]], dtype=w.dtype)
    stack = torch.stack([a, a @ a + b])
    return torch.linalg.slogdet(stack)[1].sum() + torch.linalg.det(a) + torch.linalg.det(b.T) + torch.logdet(a)


def distances(w: Any) -> Any:
    return sum(torch.cdist(X * w, Y[:3, None] * w, p=p).pow(2).sum() for p in (1.0, 1.5, 2.0, 3.0))


def factorised(w: Any) -> Any:
    a = torch.diag(w**2 + torch.arange(3)) + 0.1 * torch.outer(w, w)
    sizes, vectors = torch.linalg.eigh(a)
    q, r = torch.linalg.qr(a + w[0])
    u, s, v = torch.linalg.svd(a * w[1] + torch.triu(a))
    sums = sizes[0] ** 2 + vectors[:, 1].square() @ w + s[0] * (u[:, 0] @ w) * (v[0] @ w) + q[0] @ q[1] + r[0, 2] ** 2
    return sums + torch.cdist(a, 2 * a + 1).sum() + torch.linalg.eigvalsh(a)[2]


def square(w: Any) -> Any:
    return torch.outer(w, w) + torch.diag(torch.exp(w)) + torch.triu(X[:3]) / 8


def definite(w: Any) -> Any:
    return torch.outer(w, w) + torch.diag(torch.exp(w)) + 0.05


def tall(w: Any) -> Any:
    return torch.cat([square(w), X[3:] * w])


def stack(w: Any) -> Any:
    return torch.stack([definite(w), 2 * definite(w) + torch.eye(3, dtype=w.dtype)])


def cubes(*parts: Any) -> Any:
    return sum((part**3).sum() for part in parts)


def solved_by_factors(w: Any) -> Any:
    factors, right = torch.linalg.lu_factor(square(w)), X.T * w[:, None]
    found = torch.linalg.lu_solve(*factors, right) + torch.linalg.lu_solve(*factors, right, adjoint=True)
    return cubes(found, torch.linalg.lu_solve(*factors, right.T, left=False))


def indexed(w: Any) -> Any:
    sums = torch.zeros(2, dtype=w.dtype).index_add(0, torch.tensor([0, 1, 0]), w)
    more = torch.zeros(4, dtype=w.dtype).scatter_add(0, torch.tensor([3, 3, 1]), w**2)
    return sums.prod() + more.pow(3).sum() + w[torch.tensor([0, 0, 2])].prod() + torch.roll(w, 1) @ torch.flip(w, [0])


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "logistic": logistic,
    "entropy": lambda w: (
        F.cross_entropy(torch.outer(X[:, 0], w), CLASSES) + F.kl_div(F.log_softmax(w, 0), Y[:3], reduction="sum")
    ),
    "losses": lambda w: F.mse_loss(X @ w, Y) + F.smooth_l1_loss(X @ w, Y) + F.poisson_nll_loss(X @ w, Y),
    "bce": lambda w: F.binary_cross_entropy(torch.sigmoid(X @ w), Y) + F.hinge_embedding_loss(X @ w, 2 * Y - 1),
    "activations": lambda w: (
        F.gelu(w) + F.silu(w) + F.elu(w) + F.softplus(w) + F.leaky_relu(w) + F.mish(w) + F.hardtanh(w) + torch.erf(w)
    ).sum(),
    "reductions": lambda w: torch.logsumexp(X @ w, 0) + w.norm() + torch.std(w) + (X @ w).max() + torch.median(w),
    "sorted": lambda w: torch.sort(X @ w)[0][0] * (X @ w).topk(2).values.sum() + w.clamp(-0.1, 0.4).sum(),
    "running": lambda w: torch.cumsum(w, 0).pow(2).sum() + torch.prod(w) + F.cosine_similarity(w, X[0], dim=0),
    "einsum": lambda w: torch.einsum("ni,i,nj,j->", X, w, X, torch.exp(w)),
    "written into": written_into,
    "indexed": indexed,
    "process": process,
    "matrices": matrices,
    "determinants": determinants,
    "distances": distances,
    "factorised": factorised,
    # the rows change places
    "L and U": lambda w: cubes(*torch.linalg.lu(square(w).flip(0))),
    "L and U of tall ones": lambda w: cubes(*torch.linalg.lu(tall(w))) + cubes(*torch.linalg.lu(tall(w).T)),
    "L and U of a stack": lambda w: cubes(*torch.linalg.lu(stack(w))[1:]) + torch.linalg.lu_factor(stack(w))[0].sum(),
    "solved by factors": solved_by_factors,
    "checked": lambda w: (
        cubes(torch.linalg.cholesky_ex(definite(w)).L, torch.linalg.inv_ex(stack(w)).inverse)
        + cubes(torch.linalg.solve_ex(stack(w), w).result) * (torch.linalg.cholesky_ex(stack(w)).info == 0).sum()
    ),
    "stacks": lambda w: (
        cubes(torch.linalg.eigvalsh(stack(w)), torch.linalg.svdvals(stack(w)), *torch.linalg.qr(stack(w)))
        + torch.linalg.eigh(stack(w))[1][1, :, 0].square() @ w
    ),
    "wide": lambda w: cubes(*torch.linalg.qr(tall(w).T)) + cubes(torch.linalg.svdvals(tall(w).T)),
    "least squares": lambda w: torch.linalg.lstsq(tall(w), X).solution.sum() + torch.linalg.pinv(tall(w).T)[0].sum(),
    "exponential": lambda w: cubes(torch.linalg.matrix_exp(square(w)), torch.linalg.matrix_exp(stack(w))),
    "of a factor": lambda w: (
        cubes(torch.cholesky_inverse(torch.linalg.cholesky(definite(w))))
        + cubes(torch.cholesky_inverse(torch.linalg.cholesky(definite(w), upper=True), upper=True))
    ),
    "pairs of rows": lambda w: cubes(F.pdist(X * w)) + cubes(F.pdist(X * w, 1.5)) + torch.dist(w, X[0]),
    "multi margin": lambda w: (
        F.multi_margin_loss(torch.outer(X[:, 0], w), CLASSES)
        + F.multi_margin_loss(torch.outer(X[:, 0], w), CLASSES, p=2, margin=0.7, weight=X[0].abs(), reduction="sum")
    ),
    "shrunk": lambda w: cubes(F.softshrink(w, 0.25), F.hardshrink(w, 0.25)),
    "bilinear": lambda w: cubes(F.bilinear(X, X + 1, torch.stack([square(w), definite(w)]), w[:2])),
    "interpolated": lambda w: cubes(
        F.interpolate((X * w)[None], scale_factor=2.0, mode="linear"),
        F.interpolate((X * w)[None, None], scale_factor=2.0, mode="bicubic"),
        F.pad((X * w)[None], (1, 1), mode="reflect"),
    ),
    "Bessel": lambda w: cubes(torch.i0(w)),
    "summed where": lambda w: cubes(torch.ones(2, dtype=D).scatter_reduce(0, torch.tensor([0, 1, 0]), w, "sum")),
    "transposed convolution": lambda w: cubes(
        F.conv_transpose1d(w.reshape(1, 1, 3), X[:1, None], stride=2, padding=1, output_padding=1),
        F.conv_transpose2d(IMAGE[..., :4, :4].expand(1, 2, 4, 4), w.reshape(1, 3, 1, 1).expand(2, 3, 2, 2), w),
        F.conv_transpose2d(
            IMAGE[..., :2, :].reshape(1, 2, 2, 4) * w[0],
            IMAGE[..., :2, :].reshape(2, 2, 2, 2) * w[1],
            groups=2,
            dilation=2,
        ),
    ),
    # PyTorch asks for the truth inside
    "gaussian loss": lambda w: F.gaussian_nll_loss(X @ w, Y, torch.exp(X @ w)),
    "correlation": lambda w: torch.corrcoef((X * w).T + 0.1 * X.T**2)[0, 1] + torch.cov(X.T * w[:, None])[0, 2],
    "gradient penalty": lambda w: torch.func.grad(lambda v: torch.sigmoid(X @ v).sum())(w).pow(2).sum(),
}


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_of_torch_are_judged_by_identity(name: str) -> None:
    verdict = dc.check_gradient(FUNCTIONS[name], torch.func.grad(FUNCTIONS[name]), W)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity"), verdict.explain()
    assert verdict.resolution < 1e-13


def module_loss(module: Any, dtype: Any, *inputs: Any) -> tuple[Callable[[Any], Any], dict[str, Any]]:
    torch.manual_seed(1)
    for layer in module.modules():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    module = module.to(dtype).eval()

    def loss(p: Any) -> Any:
        found = torch.func.functional_call(module, p, tuple(one.to(dtype) for one in inputs))
        return ((found[0] if isinstance(found, tuple) else found) ** 2).sum()

    return loss, {name: p.detach().numpy().copy() for name, p in module.named_parameters()}


MODULES = {
    "dense": (lambda: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Dropout(0.5), nn.Linear(4, 1)), X),
    "normalised": (
        lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.LayerNorm(4), nn.BatchNorm1d(4), nn.Linear(4, 2)),
        X,
    ),
    "recurrent": (lambda: nn.GRU(3, 2, batch_first=True), X[None]),
    "attention": (lambda: nn.TransformerEncoderLayer(4, 2, 3, batch_first=True), IMAGE[0, :, :3, :4]),
    "convolution": (
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3, dilation=2), nn.ReLU(), nn.MaxPool2d(2), nn.AvgPool2d(2)),
        IMAGE,
    ),
}


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("name", MODULES)
def test_parameters_of_modules_are_judged_by_identity(name: str) -> None:
    make, x = MODULES[name]
    loss, at = module_loss(make(), D, x)
    verdict = dc.check_gradient(loss, torch.func.grad(loss), at)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity"), verdict.explain()
    assert verdict.resolution < 1e-11


def test_parameters_of_32_bits_are_judged_as_such_by_identity() -> None:
    loss, at = module_loss(MODULES["dense"][0](), torch.float32, X)
    verdict = dc.check_gradient(loss, torch.func.grad(loss), at)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity"), verdict.explain()
    assert verdict.resolution < 1e-11
    assert 2.0**-27 < verdict.rounding < 2.0**-20
    wrong = dc.check_gradient(loss, lambda p: {k: 1.0001 * g for k, g in torch.func.grad(loss)(p).items()}, at)
    assert (wrong.status, wrong.evidence) == ("wrong", "identity")


def backward(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def found(w: Any) -> Any:
        w = w.clone().requires_grad_()
        f(w).backward()
        return w.grad

    return found


def test_what_people_write_is_judged_by_identity() -> None:
    def gradient(w: Any) -> Any:
        return X.T @ (torch.sigmoid(X @ w) - Y) / 4 + 0.2 * w

    for claim in (backward(logistic), gradient):
        right = dc.check_gradient(logistic, claim, W)
        assert (right.status, right.evidence) == ("consistent", "identity"), right.explain()
        assert right.resolution < 1e-13


def test_planted_faults_are_found_by_identity() -> None:
    def cut(w: Any) -> Any:
        p = torch.sigmoid(X @ w)
        return (p.detach() * (X @ w)).sum()

    detached = dc.check_gradient(lambda w: (torch.sigmoid(X @ w) * (X @ w)).sum(), backward(cut), W)
    assert (detached.status, detached.evidence) == ("wrong", "identity")
    half = dc.check_gradient(logistic, lambda w: X.T @ (torch.sigmoid(X @ w) - Y) / 4 + 0.1 * w, W)
    assert (half.status, half.evidence) == ("wrong", "identity")
    assert half.cause == "factor 2 missing in the term (x0**2 + x1**2 + x2**2)*0.1"
    near = dc.check_gradient(logistic, lambda w: backward(logistic)(w) * (1 + 1e-12), W)
    assert (near.status, near.evidence) == ("wrong", "identity")


def branching(w: Any) -> Any:
    return w.sum() ** 3 if w[0] > 0 else w.prod()


@pytest.mark.parametrize("first", [0.3, -0.3])
def test_a_branch_is_followed_where_the_point_is(first: float) -> None:
    at = [first, *W[1:]]
    verdict = dc.check_gradient(branching, torch.func.grad(branching), at)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity"), verdict.explain()
    other = torch.func.grad(torch.prod if first > 0 else lambda w: w.sum() ** 3)
    assert dc.check_gradient(branching, other, at).status == "wrong"


def test_distributions_that_check_their_arguments_are_followed() -> None:
    def likelihood(w: Any) -> Any:
        gamma = torch.distributions.Gamma(torch.exp(w[0]), torch.exp(w[1]))
        return gamma.log_prob(Y + 0.5).sum() + torch.distributions.Normal(w[2], torch.exp(w[0])).log_prob(X[0]).sum()

    verdict = dc.check_gradient(likelihood, torch.func.grad(likelihood), W)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity"), verdict.explain()


P, R, S = torch.distributions, torch.tensor([0.5, 1.5, 2.5], dtype=D), torch.tensor([0.2, 0.3, 0.5], dtype=D)
DISTRIBUTIONS: dict[str, Callable[[Any], Any]] = {
    "Beta": lambda w: P.Beta(w.exp(), (-w).exp()).log_prob(S),
    "Dirichlet": lambda w: P.Dirichlet(w.exp()).log_prob(S),
    "Kumaraswamy": lambda w: P.Kumaraswamy(w.exp(), (-w).exp()).log_prob(S),
    "LKJCholesky": lambda w: P.LKJCholesky(3, w[0].exp()).log_prob(
        torch.tensor([[1, 0, 0], [0.6, 0.8, 0], [0, 0.6, 0.8]], dtype=D)
    ),
    "LowRankMultivariateNormal": lambda w: (
        P.LowRankMultivariateNormal(w, torch.stack([w, w**2], 1), w.exp()).log_prob(R)
        + P.LowRankMultivariateNormal(w, w[:, None], w.exp()).log_prob(X).sum()
    ),
    "MixtureSameFamily": lambda w: P.MixtureSameFamily(P.Categorical(logits=w), P.Normal(w, w.exp())).log_prob(R),
    "MultivariateNormal": lambda w: (
        P.MultivariateNormal(w, definite(w)).log_prob(X).sum()
        + P.MultivariateNormal(w, precision_matrix=definite(w)).entropy()
        + P.kl_divergence(P.MultivariateNormal(w, definite(w)), P.MultivariateNormal(R, scale_tril=definite(w).tril()))
    ),
    "Gamma": lambda w: P.Gamma(R, w.exp()).cdf(R) + P.Gamma(w.exp(), R).log_prob(R),
    "StudentT": lambda w: P.StudentT(w.exp(), w, w.exp()).log_prob(R),
    "VonMises": lambda w: P.VonMises(w, w.exp()).log_prob(R),
    "Wishart": lambda w: (
        P.Wishart(w[0].exp() + 3, definite(w)).log_prob(torch.eye(3, dtype=D) + 0.1)
        + P.Wishart(w[1].exp() + 3, scale_tril=definite(w).tril()).log_prob(torch.eye(3, dtype=D) + 0.1)
    ),
}


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_likelihoods_of_distributions_are_judged_by_identity(name: str) -> None:
    def likelihood(w: Any) -> Any:
        return DISTRIBUTIONS[name](w).sum()

    right = dc.check_gradient(likelihood, backward(likelihood), torch.tensor(W, dtype=D))
    assert (right.status, right.evidence) == ("consistent", "identity"), right.explain()
    # the logarithms of π and 2 are floats
    assert right.resolution < 1e-8


@pytest.mark.parametrize(
    ("f", "why"),
    [
        (lambda w: torch.linalg.pinv(torch.outer(w, w)).sum(), "not of full rank"),
        (lambda w: torch.linalg.lu(torch.outer(w * torch.tensor([1.0, 0, 0], dtype=D), w))[2].sum(), "singular"),
        (lambda w: torch.zeros(2, dtype=D).scatter_reduce(0, torch.tensor([0, 1, 0]), w, "amax").sum(), "scatter_add"),
    ],
)
def test_what_has_no_derivative_or_is_not_read_is_said(f: Callable[[Any], Any], why: str) -> None:
    verdict = dc.check_gradient(f, torch.func.grad(f), W)
    assert verdict.evidence != "identity"
    assert why in verdict.explain()


def value_and_gradient(w: Any) -> tuple[float, Any]:
    t = torch.tensor(w, requires_grad=True)
    loss = logistic(t)
    loss.backward()
    return loss.item(), t.grad.numpy()


def test_code_for_scipy_that_makes_tensors_of_its_argument_is_judged_by_identity() -> None:
    def value(w: Any) -> float:
        return logistic(torch.tensor(w)).item()

    right = dc.check_gradient(value, lambda w: value_and_gradient(w)[1], W)
    assert (right.status, right.evidence) == ("consistent", "identity"), right.explain()
    both = dc.check_gradient(value_and_gradient, True, W)
    assert (both.status, both.evidence) == ("consistent", "identity"), both.explain()
    wrong = dc.check_gradient(value, lambda w: 1.0001 * value_and_gradient(w)[1], W)
    assert (wrong.status, wrong.evidence) == ("wrong", "identity")


def test_a_number_that_leaves_the_graph_is_a_constant_of_its_derivative() -> None:
    def f(w: Any) -> Any:
        return w.sum() * w[0].item()

    wrong = dc.check_gradient(f, torch.func.grad(f), W)
    assert (wrong.status, wrong.evidence) == ("wrong", "identity")
    assert dc.check_gradient(f, lambda w: w[0] + w.sum() * torch.eye(3, dtype=D)[0], W).ok


def test_a_wrong_backward_of_ones_own_is_found() -> None:
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2 * ctx.saved_tensors[0] ** 2

    f = lambda w: Cube.apply(w).sum()  # noqa: E731 - it does not name PyTorch
    wrong = dc.check_gradient(f, backward(f), W)
    assert (wrong.status, wrong.evidence) == ("wrong", "identity")


@pytest.mark.filterwarnings("ignore:.*torch.jit.script")
def test_derivatives_of_other_orders_and_certified_ones() -> None:
    hessian = dc.check_hessian(logistic, torch.func.hessian(logistic), W)
    assert (hessian.status, hessian.evidence) == ("consistent", "identity"), hessian.explain()
    jacobian = dc.check_jacobian(lambda w: torch.tanh(X @ w), torch.func.jacrev(lambda w: torch.tanh(X @ w)), W)
    assert (jacobian.status, jacobian.evidence) == ("consistent", "identity"), jacobian.explain()
    meant = torch.func.grad(logistic)(torch.tensor(W, dtype=D)).numpy()
    certified = dc.certified_gradient(logistic, np.array(W))
    assert np.max(np.abs(certified.value - meant)) <= 1e-15


def test_what_leaves_pytorch_is_not_taken_for_a_constant() -> None:
    def square(w: Any) -> Any:
        return torch.tensor(w.detach().numpy() ** 2).sum()

    right = dc.check_gradient(lambda w: (w**2).sum(), lambda w: torch.tensor(2 * w.detach().numpy()), W)
    assert right.status == "consistent"
    assert dc.check_gradient(square, lambda w: 2 * w, W).status == "consistent"
    assert dc.check_gradient(square, lambda w: 3 * w, W).status == "wrong"


@pytest.mark.parametrize(
    ("f", "why"),
    [
        (lambda w: torch.special.bessel_y0(w + 2).sum(), "'aten.special_bessel_y0.default' cannot be written down"),
        (lambda w: F.dropout(w, 1e-300).sum(), "draws random numbers"),
    ],
)
def test_what_cannot_be_written_down_is_named(f: Callable[[Any], Any], why: str) -> None:
    verdict = dc.check_gradient(f, lambda w: torch.func.grad(lambda v: (v**2).sum())(w), W)
    assert verdict.evidence != "identity"
    assert why in verdict.explain()
