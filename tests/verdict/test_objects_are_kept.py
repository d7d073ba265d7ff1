"""After a check the user's objects hold what plain float calls would have left: no traced numbers, no lost entries."""

import collections
import contextlib
import functools
import gc
import random

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.tracing.array import TracedArray
from diffcompare.tracing.scalar import TracedScalar

# the search for places runs changed copies of the code, too
pytestmark = pytest.mark.places
AT = np.array([0.5, 0.75])
HISTORY: list = []
LAST = None
CACHE: dict = {}


def inner(x):
    return np.sum(np.exp(x) * x)


def slope(x):
    return np.exp(x) * (x + 1)


class Model:
    """A model in the style of many: it remembers what it was asked."""

    seen: list = []  # noqa: RUF012

    def __init__(self):
        self.history, self.cache, self.last = [], {}, None
        self.queue, self.counts = collections.deque(maxlen=3), collections.Counter()
        self.ordered, self.default = collections.OrderedDict(), collections.defaultdict(list)
        self.store = np.zeros(2)
        self.objects = np.array([None, None], dtype=object)

    def f(self, x):
        self.history.append(x)
        self.last = x
        self.cache[x.tobytes()] = x * 2
        self.queue.append(x[0])
        self.counts["f"] += 1
        self.ordered["x"] = x
        self.default["x"].append(x)
        self.objects[0] = x[0]
        Model.seen.append(x)
        return inner(x)

    def gradient(self, x):
        self.last = slope(x)
        return self.last


class Abstract(Model, metaclass=type("Meta", (type,), {})):
    """One whose class is not made anew for a trace."""


class Slotted:
    """Attributes without a dict, one of them private."""

    __slots__ = ("__hidden", "last", "unset")

    def __init__(self):
        self.last, self.__hidden = None, []

    def f(self, x):
        self.last = x
        self.unset = x[0]
        self.__hidden.append(x)
        return inner(x)

    def gradient(self, x):
        return slope(x)


class Recent:
    """The one answer that is kept is given again at the same point, as SciPy does for jac=True."""

    def __init__(self):
        self.x = None

    def ask(self, x):
        if self.x is None or not np.all(x == self.x):
            self.x = np.array(x)
            self.answer = inner(x), slope(x)
        return self.answer

    def f(self, x):
        return self.ask(x)[0]

    def gradient(self, x):
        return self.ask(x)[1]


class History(list):
    """A list of the user's own, that does not like to be emptied."""

    def clear(self):
        raise RuntimeError("no")


def as_functions(owner):
    return owner.f, owner.gradient, owner


def global_list():
    HISTORY.clear()

    def f(x):
        HISTORY.append(x)
        CACHE[len(CACHE)] = x
        return inner(x)

    return f, slope, (HISTORY, CACHE)


def global_name():
    def f(x):
        global LAST
        LAST = x
        return inner(x)

    return f, slope, HISTORY


def default_argument():
    def f(x, seen=[]):  # noqa: B006
        seen.append(x)
        return inner(x)

    return f, slope, f


def closure():
    last, count, own = None, 0, History()

    def f(x):
        nonlocal last, count
        last, count = x, count + 1
        own.append(x[0])
        return inner(x)

    return f, slope, f


def attribute_of_a_function():
    def f(x):
        f.calls += 1
        f.last = x
        return inner(x)

    f.calls = 0
    return f, slope, f


def bound_append():
    seen = []
    note = seen.append

    def f(x):
        note(x[0])
        return inner(x)

    return f, slope, seen


def partial_of_a_list():
    seen = []
    return functools.partial(lambda held, x: (held.append(x), inner(x))[1], seen), slope, seen


def cached_helper():
    @functools.lru_cache
    def helper(v):
        return v * v

    return lambda x: inner(x) + helper(x[0]) - helper(x[0]), slope, helper


def random_state():
    rng, own = np.random.default_rng(1), random.Random(2)

    def f(x):
        rng.normal()
        own.random()
        return inner(x)

    return f, slope, (rng, own)


CASES = {
    "object": lambda: as_functions(Model()),
    "abstract": lambda: as_functions(Abstract()),
    "slots": lambda: as_functions(Slotted()),
    "last answer": lambda: as_functions(Recent()),
    **{
        make.__name__: make
        for make in (
            global_list, global_name, default_argument, closure, attribute_of_a_function, bound_append,
            partial_of_a_list, cached_helper, random_state,
        )
    },
}  # fmt: skip


def traced_numbers(start):
    """Search all that can be reached for numbers of a trace."""
    waiting, seen, found = list(start), {}, []
    while waiting:
        value = waiting.pop()
        if id(value) in seen or isinstance(value, type(gc)):
            continue
        seen[id(value)] = value
        if isinstance(value, TracedScalar | TracedArray):
            found.append(type(value))
        if isinstance(value, np.ndarray) and value.dtype == object:
            waiting += list(value.flat)
        if not (isinstance(value, type) and not value.__module__.startswith("test_")):
            waiting += [v for v in gc.get_referents(value) if v is not globals()]
    return found


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("check", ["gradient", "jacobian", "hessian", "directional", "trace"])
def test_no_traced_number_is_left_in_the_users_objects(name, check):
    f, gradient, owner = CASES[name]()
    f(AT), gradient(AT)
    if check == "gradient":
        verdict = dc.check_gradient(f, gradient, AT)
    elif check == "jacobian":
        verdict = dc.check_jacobian(f, gradient, AT)
    elif check == "hessian":
        verdict = dc.check_hessian(f, lambda x: np.diag(np.exp(x) * (x + 2)), AT, gradient=gradient)
    elif check == "directional":
        verdict = dc.check_directional(f, gradient, AT)
    else:
        verdict = None
        with contextlib.suppress(dc.TraceError):
            dc.trace(f, 2)
    assert traced_numbers([owner, LAST, f, gradient]) == []
    value = f(AT)
    assert type(value) is np.float64 or type(value) is float
    assert abs(value - inner(AT)) < 1e-15
    assert verdict is None or verdict.status == "consistent"


def test_a_class_with_code_that_keeps_its_last_answer_is_judged_by_identity():
    owner = Recent()
    verdict = dc.check_gradient(owner.f, owner.gradient, AT)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")


def test_a_generator_is_left_to_plain_calls():
    class Noisy:
        def __init__(self):
            self.ones = (1.0 for _ in range(10**9))

        def f(self, x):
            return next(self.ones) * inner(x)

    verdict = dc.check_gradient(Noisy().f, slope, AT)
    assert (verdict.status, verdict.evidence) == ("consistent", "witness")
    assert any("a generator: a trace would use it up" in note for note in verdict.notes)


def test_an_iterator_that_is_not_asked_hinders_no_trace():
    weights = iter([2.0, 3.0])

    def weighted(x, weight=None):
        return inner(x) * (next(weights) if weight is None else weight)

    verdict = dc.check_gradient(lambda x: weighted(x, 1.0), slope, AT)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")
    with pytest.raises(dc.TraceError, match="goes through a list_iterator: a trace would use it up; give it a list"):
        dc.trace(weighted, (len(AT),))


def test_a_cache_of_a_method_holds_what_floats_have_left():
    class Scaled:
        @functools.lru_cache  # noqa: B019
        def scale(self, k):
            return 0.5 * k

        def f(self, x):
            return self.scale(2) * inner(x)

        def gradient(self, x):
            return self.scale(2) * slope(x)

    owner = Scaled()
    assert dc.check_gradient(owner.f, owner.gradient, AT).evidence == "identity"
    assert type(owner.scale(2)) is float


def test_numbers_of_jax_do_not_stay_either():
    jax = pytest.importorskip("jax")
    plain = []

    def own(x):
        plain.append(x)
        return jax.numpy.sum(x * x)

    dc.check_gradient(own, lambda x: 2 * x, AT.astype(np.float32))
    assert not [x for x in plain if isinstance(x, jax.core.Tracer)]
