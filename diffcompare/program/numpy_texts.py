"""Expressions of arrays as text in NumPy's notation."""

from __future__ import annotations

import math
from collections.abc import Collection
from fractions import Fraction

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.arrays import Shape, contracted
from diffcompare.program.expression import MASKS, MINUS, Coefficient, Expression, Factor, Key, factors_of, reduced_axes
from diffcompare.program.numpy_keys import NamedPlaces, key_text, unit_axes
from diffcompare.program.operation import Kind
from diffcompare.program.operations import OPERATIONS
from diffcompare.program.printing import Written, bracketed

__all__ = ["ATOM", "PRODUCT", "NumpyTexts"]

_COMPARE, _SUM, PRODUCT, _POWER, ATOM = 0, 1, 2, 4, 5
_SIGNS = {
    "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!=",
}  # fmt: skip
# operation -> the function of NumPy
_NUMPY = {
    **{name: name for name in (
        "clip", "diag", "diff", "flip", "floor_divide", "ceil", "rint", "logaddexp", "maximum", "minimum", "outer",
        "tril", "triu", "trunc", "where",
    )},
    "absolute": "abs", "diagonal": "diag",
    "cholesky": "linalg.cholesky", "determinant": "linalg.det", "inv": "linalg.inv", "norm": "linalg.norm",
    "solve": "linalg.solve",
}  # fmt: skip
_SPECIAL = {"expit", "log_expit", "xlogy", "logit", "ndtr", "softmax", "log_softmax", "logsumexp"}


class NumpyTexts:
    """Writes expressions, those that have names by their names.

    Parameters
    ----------
    sizes : collection of int
        Lengths of the data: what is divided by one of them stays so.
    named_places : callable
    ends : collection of int
        The whole numbers of the code, as in ``x[:-1]``.
    numpy, special : str
        How the code calls NumPy and ``scipy.special``.
    """

    def __init__(
        self, sizes: Collection[int], named_places: NamedPlaces, ends: Collection[int], numpy: str = "np",
        special: str = "special",
    ) -> None:  # fmt: skip
        self._sizes, self._named_places, self._ends = sizes, named_places, ends
        self.numpy, self._special = numpy, special
        self.names: dict[Expression, str] = {}
        self.texts: dict[Expression, Written] = {}
        # whether functions of scipy.special were written
        self.special = False

    def text(self, one: Expression) -> Written:
        """Write an expression; returns its precedence and the text."""
        found = self.texts.get(one)
        if found is None:
            found = self.texts[one] = self._expression(one)
        return found

    def _atom(self, one: Expression) -> str:
        return bracketed(self.text(one), ATOM)

    def _expression(self, one: Expression) -> Written:
        name, operands = one.operation, one.operands
        if name in ("name", "item"):
            return ATOM, one.payload
        if name == "mask":
            return (ATOM if one.payload.isidentifier() else _COMPARE), one.payload
        if name == "product":
            return self.product(one.payload[0], factors_of(one))
        if name == "sum":
            return self.sum(list(zip(operands, one.payload, strict=True)))
        if name in _SIGNS:
            one_, two = (bracketed(self.text(o), _SUM) for o in operands)
            return _COMPARE, f"{one_} {_SIGNS[name]} {two}"
        if name in ("and", "or", "not"):
            texts = [self._atom(o) for o in operands]
            return (
                (_COMPARE, f" {'&' if name == 'and' else '|'} ".join(texts)) if len(texts) > 1 else (4, f"~{texts[0]}")
            )
        rule = getattr(self, f"_of_{name}", None)
        if rule is not None:
            return rule(one)  # type: ignore[no-any-return]
        if name in _SPECIAL:
            return ATOM, f"{self._function(name)}({self._operands(one)}{self._options(one)})"
        if name in ("pi", "e"):
            return ATOM, f"{self.numpy}.{name}"
        if name == "power":
            base, exponent = (bracketed(self.text(o), 5 - k) for k, o in enumerate(operands))
            return _POWER, f"{base}**{exponent}"
        row = OPERATIONS.get(name)
        if row is not None and row.names and one.payload is None:
            special = Kind.SPECIAL in row.kind and name != "sinc"
            called = self._function(row.names[0]) if special else f"{self.numpy}.{row.names[0]}"
            return ATOM, f"{called}({self._operands(one)})"
        if name in _NUMPY:
            return ATOM, f"{self.numpy}.{_NUMPY[name]}({self._operands(one)}{self._options(one)})"
        raise UnsupportedFunction(f"{name} is not written as a function of NumPy")

    def _function(self, name: str) -> str:
        self.special = True
        return f"{self._special}.{name}"

    def _operands(self, one: Expression) -> str:
        return ", ".join(self.text(o)[1] for o in one.operands)

    def _options(self, one: Expression) -> str:
        payload = one.payload
        if not payload or isinstance(payload, str):
            return ""
        if isinstance(payload[0], tuple):
            return "".join(f", {k}={v}" for k, v in payload if v is not None)
        ndim = len(one.operands[0].shape)
        return "" if len(payload) == ndim else f", axis={payload[0] if len(payload) == 1 else payload}"

    def _shown(self, coefficient: Coefficient) -> tuple[Fraction, Fraction | int]:
        above, below = coefficient.above, coefficient.below
        value = coefficient.value
        if isinstance(below, Fraction):
            return above, below
        if above.denominator == 1:
            if below == 1 or value.denominator == 1:
                return value, 1
            if below in self._sizes:
                return above, below
            return Fraction(value.numerator), value.denominator
        if below not in self._sizes and len(repr(float(value))) <= 6:
            return value, 1
        return above, below

    def scaled(self, one: Expression, coefficient: Coefficient) -> Written:
        """Write a product with another coefficient."""
        if one in self.names or one.operation != "product":
            if one.operation == "sum" and one not in self.names and abs(coefficient.value) == 1:
                return self.sum([(t, c * coefficient) for t, c in zip(one.operands, one.payload, strict=True)])
            return self.product(coefficient, [(one, Fraction(1))])
        return self.product(one.payload[0] * coefficient, factors_of(one))

    def product(self, coefficient: Coefficient, factors: list[Factor]) -> Written:
        """Write powers of expressions, multiplied."""
        above, below = self._shown(coefficient)
        top = [(b, e) for b, e in factors if e > 0]
        for k, (base, exponent) in enumerate(top):
            # a sum that is divided by its count
            if base.operation == "total" and exponent == 1 and base not in self.names and _count(base) == below > 1:
                top[k], below = (Expression("mean", base.operands, base.shape, base.payload), exponent), 1
        under = [(b, -e) for b, e in factors if e < 0]
        top.sort(key=lambda f: (bool(f[0].shape), f[0].operation not in ("pi", "e"), f[0].operation in MASKS))
        masks_only = bool(top) and all(b.operation in MASKS for b, _ in top)
        wide = sum(bool(b.shape) for b, _ in top)
        texts = []
        turned = next((b for b, e in top if e == 1 and _is_difference(b) and b not in self.names), None)
        if above < 0 and turned is not None:
            # −(a − b) is b − a
            above = -above
            opposite = Expression(
                "sum", turned.operands[::-1], turned.shape, tuple(c * MINUS for c in turned.payload[::-1])
            )
            top = [(opposite if b is turned else b, e) for b, e in top]
        negative = above < 0
        if abs(above) != 1 or not top or masks_only:
            number = _number(abs(above))
            texts.append(f"{number}.0" if masks_only and number.isdigit() else number)
        if len(top) == 1 and not texts and not under and below == 1 and not negative:
            return self._raised(*top[0])
        for base, exponent in top:
            written = self._raised(base, exponent)
            alone = (
                exponent == 1
                and base.operation == "contract"
                and base not in self.names
                and (wide == 1 or not base.shape)
            )
            needed = PRODUCT if alone and (not texts or base.shape) else PRODUCT + 1
            texts.append(bracketed(written, needed))
        text = ("-" if negative else "") + " * ".join(texts)
        bottom = [_number(Fraction(below))] if below != 1 else []
        for base, exponent in under:
            bottom.append(bracketed(self._raised(base, exponent), PRODUCT + 1))
        if bottom:
            text += f" / {bottom[0]}" if len(bottom) == 1 else f" / ({' * '.join(bottom)})"
        if len(texts) == 1 and not bottom and not top:
            return (ATOM if not negative else PRODUCT), text
        return PRODUCT, text

    def _raised(self, base: Expression, exponent: Fraction) -> Written:
        if exponent == 1:
            return self.text(base)
        if exponent == Fraction(1, 2):
            return ATOM, f"{self.numpy}.sqrt({self.text(base)[1]})"
        text = self._atom(base)
        return _POWER, f"{text}{'**' if text.replace('.', '').isidentifier() else ' ** '}{_number(exponent)}"

    def sum(self, terms: list[tuple[Expression, Coefficient]]) -> Written:
        """Write multiples of expressions, added."""
        if len(terms) == 1:
            return self.scaled(*terms[0])
        if terms[0][1].above < 0:
            first = next((k for k, (_, c) in enumerate(terms) if c.above > 0), 0)
            terms = [terms[first], *terms[:first], *terms[first + 1 :]]
        text = ""
        for k, (term, coefficient) in enumerate(terms):
            negative = coefficient.above < 0
            written = self.scaled(term, Coefficient(abs(coefficient.above), coefficient.below))
            if term.operation in MASKS and abs(coefficient.value) == 1:
                written = self.product(Coefficient(abs(coefficient.above), coefficient.below), [(term, Fraction(1))])
            part = bracketed(written, PRODUCT if negative else _SUM)
            text += (f" {'-' if negative else '+'} " if k else "-" * negative) + part
        return _SUM, text

    def _of_data(self, one: Expression) -> Written:
        raise UnsupportedFunction(
            f"the code computes with an array of shape {one.shape} that has no name where the gradient is to stand; "
            "give it a name, as a global or an argument of the function"
        )

    def _of_one_hot(self, one: Expression) -> Written:
        return ATOM, one.payload[1]

    def _of_total(self, one: Expression) -> Written:
        inner = one.operands[0]
        if inner.operation == "diagonal" and inner not in self.names:
            return ATOM, f"{self.numpy}.trace({self.text(inner.operands[0])[1]})"
        return self._reduction("sum", one, keepdims=False)

    def _reduction(self, name: str, one: Expression, *, keepdims: bool) -> Written:
        (operand,), (axes, ddof) = one.operands, reduced_axes(one)
        extra = f", ddof={ddof}" if ddof else ""
        axis = axes[0] if len(axes) == 1 else axes
        along = "" if len(axes) == len(operand.shape) else f", axis={axis}"
        called = self._function(name) if name in _SPECIAL else f"{self.numpy}.{name}"
        return ATOM, f"{called}({self.text(operand)[1]}{along}{extra}{', keepdims=True' * keepdims})"

    def _of_mean(self, one: Expression) -> Written:
        return self._reduction("mean", one, keepdims=False)

    def _of_max(self, one: Expression) -> Written:
        return self._reduction(one.operation, one, keepdims=False)

    _of_min = _of_var = _of_std = _of_prod = _of_logsumexp = _of_max

    def _of_log_determinant(self, one: Expression) -> Written:
        return ATOM, f"{self.numpy}.linalg.slogdet({self.text(one.operands[0])[1]})[1]"

    def _of_eye(self, one: Expression) -> Written:
        return ATOM, f"{self.numpy}.eye({one.shape[0]})"

    def _of_roll(self, one: Expression) -> Written:
        options = dict(one.payload)
        axis = "" if options.get("axis") is None else f", axis={options['axis']}"
        return ATOM, f"{self.numpy}.roll({self.text(one.operands[0])[1]}, {options['shift']}{axis})"

    def _of_convolve(self, one: Expression) -> Written:
        mode = "" if one.payload == ("full" if one.operation == "convolve" else "valid") else f', "{one.payload}"'
        return ATOM, f"{self.numpy}.{one.operation}({self._operands(one)}{mode})"

    _of_correlate = _of_convolve

    def _of_concatenate(self, one: Expression) -> Written:
        axis = f", axis={one.payload}" if one.payload else ""
        parts = [self._bracketed(o) or self.text(o)[1] for o in one.operands]
        return ATOM, f"{self.numpy}.concatenate([{', '.join(parts)}]{axis})"

    def _bracketed(self, one: Expression) -> str | None:
        """Write a number that is seen as an array in brackets; None for any other."""
        if one in self.names or one.operation != "reshape" or one.operands[0].shape:
            return None
        return "[" * len(one.shape) + self.text(one.operands[0])[1] + "]" * len(one.shape)

    def _of_cumulate(self, one: Expression) -> Written:
        axis, backwards = one.payload
        ndim = len(one.shape)
        along = "" if ndim == 1 else f", axis={axis}"
        turn = ":, " * axis + "::-1" if backwards else ""
        inner = f"{self._atom(one.operands[0])}[{turn}]" if backwards else self.text(one.operands[0])[1]
        text = f"{self.numpy}.cumsum({inner}{along})"
        return ATOM, f"{text}[{turn}]" if backwards else text

    def _of_transpose(self, one: Expression) -> Written:
        axes = one.payload
        if axes == tuple(range(len(axes)))[::-1]:
            return ATOM, f"{self._atom(one.operands[0])}.T"
        return ATOM, f"{self.numpy}.transpose({self.text(one.operands[0])[1]}, {axes})"

    def _of_index(self, one: Expression) -> Written:
        return ATOM, f"{self._atom(one.operands[0])}[{self.key(one.operands[0].shape, one.payload)}]"

    def key(self, shape: Shape, key: Key) -> str:
        """Write what takes elements from an array, without the brackets."""
        found = key.text or key_text(shape, key.places, self._named_places, self._ends, self.numpy)
        if found is None:
            raise UnsupportedFunction(
                f"the code takes elements of an array of shape {shape} that no slice takes; give the array of their "
                "indices a name, as a global or an argument of the function"
            )
        return found

    def _of_broadcast(self, one: Expression) -> Written:
        inner = one.operands[0]
        shape = self.shape(one.shape)
        if inner.number == 0:
            return ATOM, f"{self.numpy}.zeros({shape})"
        if inner.number == 1:
            return ATOM, f"{self.numpy}.ones({shape})"
        if not inner.shape:
            # of a whole number it would be an array of such, which no fraction is added to
            point = ".0" if inner.number is not None and inner.number.denominator == 1 else ""
            return ATOM, f"{self.numpy}.full({shape}, {self.text(inner)[1]}{point})"
        return ATOM, f"{self.numpy}.broadcast_to({self.text(inner)[1]}, {shape})"

    @staticmethod
    def shape(shape: Shape) -> str:
        """Write a shape as an argument."""
        return str(shape[0]) if len(shape) == 1 else str(shape)

    def _of_reshape(self, one: Expression) -> Written:
        inner = one.operands[0]
        brackets = self._bracketed(one)
        if brackets is not None:
            return ATOM, f"{self.numpy}.array({brackets})"
        if (
            inner.operation in ("total", "mean", "max", "min", "var", "std", "prod", "logsumexp")
            and inner not in self.names
        ):
            axes, before = reduced_axes(inner)[0], inner.operands[0].shape
            if one.shape == tuple(1 if a in axes else n for a, n in enumerate(before)):
                return self._reduction("sum" if inner.operation == "total" else inner.operation, inner, keepdims=True)
        if len(inner.shape) == 2 and one.shape == inner.shape[::-1]:
            return ATOM, f"{self._atom(inner)}.T"
        numbers = self._numbers(inner) if len(one.shape) == 2 else None
        if numbers is not None:
            width = one.shape[1]
            rows = [f"[{', '.join(numbers[k : k + width])}]" for k in range(0, len(numbers), width)]
            return ATOM, f"{self.numpy}.array([{', '.join(rows)}])"
        key = unit_axes(inner.shape, one.shape)
        if key is not None:
            return ATOM, f"{self._atom(inner)}[{key}]"
        if len(one.shape) == 1:
            return ATOM, f"{self._atom(inner)}.ravel()"
        return ATOM, f"{self._atom(inner)}.reshape({', '.join(map(str, one.shape))})"

    def _of_scatter(self, _: Expression) -> Written:
        raise UnsupportedFunction("elements are put where no slice puts them")

    def _of_join(self, one: Expression) -> Written:
        numbers = self._numbers(one)
        if numbers is not None:
            return ATOM, f"{self.numpy}.array([{', '.join(numbers)}])"
        parts = [
            self._atom(o) + (".ravel()" if len(o.shape) > 1 else "") if o.shape else f"[{self.text(o)[1]}]"
            for o in one.operands
        ]
        return ATOM, f"{self.numpy}.concatenate([{', '.join(parts)}])"

    def _numbers(self, one: Expression) -> list[str] | None:
        """Write the elements of an array that is made of single numbers; None for any other."""
        if not one.shape:
            return [self.text(one)[1]]
        if one in self.names or one.operation not in ("join", "reshape"):
            return None
        parts = [self._numbers(o) for o in one.operands]
        return None if any(part is None for part in parts) else [text for part in parts for text in part or ()]

    def _of_contract(self, one: Expression) -> Written:
        left, right, result, _, summed, _ = contracted(one.payload)
        first, second = one.operands
        if len(summed) == 1:
            found = self._by_matmul(first, left, second, right, result, summed) or self._by_matmul(
                second, right, first, left, result, summed
            )
            if found is not None:
                return PRODUCT, found
        return ATOM, f'{self.numpy}.einsum("{one.payload}", {self._operands(one)})'

    def _by_matmul(self, first: Expression, one: str, second: Expression, two: str, result: str, c: str) -> str | None:
        texts = [bracketed(self.text(o), PRODUCT + 1) for o in (first, second)]
        lead = one[:-2]
        if len(one) == 1 and len(two) == 1:
            return " @ ".join(texts)
        if len(two) == 1:
            # a matrix, or a stack, times a vector
            if one[-1] == c and result == one[:-1]:
                return " @ ".join(texts)
            return f"{texts[0]}.T @ {texts[1]}" if len(one) == 2 and one[0] == c else None
        if len(one) == 1 or len(two) < 2:
            return None
        left, right = one[-2:], two[-2:]
        if c not in left or c not in right:
            return None
        rows, columns = left.replace(c, ""), right.replace(c, "")
        if result != lead + rows + columns or two[:-2] not in ("", lead):
            return None
        if left[1] != c:
            texts[0] = _turned(self._atom(first), one, self.numpy, self.text(first)[1])
        if right[0] != c:
            texts[1] = _turned(self._atom(second), two, self.numpy, self.text(second)[1])
        return " @ ".join(texts)


def _count(one: Expression) -> int:
    """Return how many elements a sum adds for each of its own."""
    return math.prod(one.operands[0].shape[a] for a in one.payload)


def _is_difference(one: Expression) -> bool:
    return one.operation == "sum" and len(one.operands) == 2 and one.payload[0].above > 0 > one.payload[1].above


def _turned(atom: str, letters: str, numpy: str, text: str) -> str:
    return f"{atom}.T" if len(letters) == 2 else f"{numpy}.swapaxes({text}, -1, -2)"


def _number(value: Fraction) -> str:
    """Write a number as a literal."""
    if value.denominator == 1 and abs(value) < 10**15:
        return str(value.numerator)
    return repr(float(value))
