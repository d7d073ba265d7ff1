"""Expressions of arrays as lines of NumPy."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction

import numpy as np

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.arrays import Places, Shape, broadcast_shape, contracted
from diffcompare.program.expression import MASKS, Coefficient, Expression, logistic_argument
from diffcompare.program.expression_adjoint import operands_first
from diffcompare.program.numpy_keys import NamedPlaces, key_text, unit_axes
from diffcompare.program.operation import Kind
from diffcompare.program.operations import OPERATIONS
from diffcompare.program.printing import Written
from diffcompare.program.shared_parts import distributed, weights_of

__all__ = ["NumpyLines"]

_WIDTH = 92
_COMPARE, _SUM, _PRODUCT, _POWER, _ATOM = 0, 1, 2, 4, 5
_SIGNS = {
    "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!=",
}  # fmt: skip
_NUMPY = {"maximum", "minimum", "logaddexp", "clip", "sign", "where", "diag", "cholesky", "tril", "triu"}
_SPECIAL = {"expit", "log_expit", "xlogy", "logit", "ndtr", "log_ndtr", "softmax", "log_softmax", "logsumexp"}
_LETTERS = {
    "cos": "c", "sin": "s", "inv": "inverse", "exp": "e", "expit": "p", "softmax": "p", "tanh": "h", "contract": "a",
    "solve": "s", "cholesky": "L", "total": "s", "mean": "mean", "var": "var", "max": "m", "sum": "r",
}  # fmt: skip


class NumpyLines:
    """Writes expressions as statements, each common part once.

    Parameters
    ----------
    wanted : mapping
        Names that expressions should have where they need one: those of the user's own code.
    slopes : collection of Expression
        The derivatives in parts of the function.
    taken : collection of str
        Names that mean something else.
    sizes : collection of int
        Lengths of the data: what is divided by one of them stays so.
    named_places : callable
    ends : collection of int
        The whole numbers of the code, as in ``x[:-1]``.
    numpy : str
        How the code calls NumPy.
    """

    def __init__(
        self, wanted: Mapping[Expression, str], slopes: Collection[Expression], taken: Collection[str],
        sizes: Collection[int], named_places: NamedPlaces, ends: Collection[int], numpy: str = "np",
    ) -> None:  # fmt: skip
        self._wanted, self._slopes, self._taken, self._sizes = wanted, slopes, set(taken), sizes
        self._named_places, self._ends, self._np = named_places, ends, numpy
        self._names: dict[Expression, str] = {}
        self._texts: dict[Expression, Written] = {}
        self.special = False

    def lines(self, roots: Sequence[Expression], returned: Callable[[list[str]], str]) -> list[str]:
        """Return statements; the last one is made by ``returned`` of the texts of the roots."""
        roots = [distributed(root) for root in roots]
        order = operands_first(roots)
        weights = weights_of(order)
        uses = Counter(operand for one in order for operand in one.operands)
        uses.update(roots)
        order.sort(key=lambda one: one.operation != "item")
        # what is put together from pieces, but for the pieces themselves
        alone = {o for one in order if one.operation != "sum" for o in one.operands if o.operation == "scatter"}
        alone |= set(roots)
        chosen = {
            one for one in order
            if (uses[one] > 1 and (weights[one] >= 2 or one.operation == "item" or _is_part(one, self._wanted)))
            or (_is_gathered(one) and (one.operation == "sum" or one in alone))
        }  # fmt: skip
        chosen = {one for one in chosen if one.operation != "scatter" or one in alone}
        for _ in range(40):
            found, long = self._written(order, chosen, roots, uses, returned)
            split = None if long is None else self._largest_part(long, chosen, weights)
            if split is None:
                return found
            chosen.add(split)
        return found

    def _written(
        self, order: Sequence[Expression], chosen: set[Expression], roots: Sequence[Expression],
        uses: Mapping[Expression, int], returned: Callable[[list[str]], str],
    ) -> tuple[list[str], Sequence[Expression] | None]:  # fmt: skip
        """Write with names for what is chosen; returns also what a line that is too long is made of."""
        self._names, self._texts, used = {}, {}, set(self._taken)
        found: list[str] = []
        long: Sequence[Expression] | None = None
        # a root that is only returned needs no name
        for one in order:
            if one not in chosen:
                continue
            statements = self._gathered(one) if _is_gathered(one) else None
            text = None if statements is not None else self._text(one)[1]
            if statements is not None and len(statements) == 1:
                text, statements = statements[0], None
                if one in roots and uses[one] == 1:
                    self._texts[one] = _ATOM, text
                    continue
            name = self._new_name(one, used, roots)
            own = [f"{name} = {text}"] if statements is None else [s.format(name) for s in statements]
            if long is None and any(len(line) > _WIDTH for line in own):
                long = [one]
            found += own
            self._names[one] = name
            self._texts[one] = _ATOM, name
        texts = [self._text(root)[1] for root in roots]
        last = f"return {returned(texts)}"
        if long is None and len(last) > _WIDTH:
            long = [root for root in roots if root not in self._names]
        return [wrapped for line in (*found, last) for wrapped in _wrapped(line)], long

    def _largest_part(
        self, long: Sequence[Expression], chosen: set[Expression], weights: Mapping[Expression, int]
    ) -> Expression | None:
        """Return the part that a line is best split at: about half of it."""
        parts: list[Expression] = []
        stack = [o for one in long for o in ([one] if len(long) > 1 else one.operands)]
        while stack:
            one = stack.pop()
            if one in chosen or one in parts:
                continue
            parts.append(one)
            stack += one.operands
        whole = sum(len(self._text(one)[1]) for one in long if one not in chosen) or _WIDTH
        parts = [
            p for p in parts
            if weights[p] >= 2 and p.operation not in (*MASKS, "scatter") and not _is_gathered(p)
            and len(self._text(p)[1]) > 12
        ]  # fmt: skip
        if not parts:
            return None
        return min(
            parts, key=lambda p: (abs(len(self._text(p)[1]) - whole / 2) - 20 * (p in self._wanted), -weights[p])
        )

    def _new_name(self, one: Expression, used: set[str], roots: Sequence[Expression]) -> str:
        wish = self._wanted.get(one)
        if wish is None and one.operation == "item":
            key = one.payload.rpartition("[")[2].strip('"]')
            wish = key if key.isidentifier() else f"{one.payload.partition('[')[0][0]}{key}" if key.isdigit() else None
        if wish is None and one.operation in MASKS:
            wish = "mask"
        if wish is None and one.operation == "product" and one.payload[1] == (-1,):
            wish = "p" if logistic_argument(one.operands[0]) is not None else None
        if wish is None and one.operation == "inv" and one.operands[0] in self._names:
            wish = f"{self._names[one.operands[0]]}_inv"
        if wish is None and _is_gathered(one):
            wish = "grad" if one in roots else "g"
        if wish is None and one.operation == "sum" and all(c.above > 0 for c in one.payload):
            wish = "z"
        if wish is None:
            letter = _LETTERS.get(one.operation)
            wish = None if letter in self._wanted.values() else letter
        wish = "delta" if wish is None and one in self._slopes else wish
        if wish is not None and wish not in used:
            used.add(wish)
            return wish
        stem = wish if wish is not None else "t"
        number = next(k for k in range(1 if wish is None else 2, 10_000) if f"{stem}{k}" not in used)
        used.add(f"{stem}{number}")
        return f"{stem}{number}"

    # --- statements that put pieces together

    def _gathered(self, one: Expression) -> list[str]:
        """Write an array that is put together; {} stands for its name."""
        terms = list(zip(one.operands, one.payload, strict=True)) if one.operation == "sum" else [(one, _ONE)]
        pieces = [(t, c) for t, c in terms if t.operation == "scatter"]
        rest = [(t, c) for t, c in terms if t.operation != "scatter"]
        parts = [(piece.payload.places, self._signed(piece.operands[0], c)) for piece, c in pieces]
        if not rest:
            whole = self._side_by_side(one.shape, parts, pieces)
            if whole is not None:
                return [whole]
        statements = []
        if rest:
            start = self._sum(rest)
            if broadcast_shape(t.shape for t, _ in rest) != one.shape:
                text = f"{self._np}.zeros({self._shape(one.shape)}) + {self._bracketed(start, _PRODUCT)}"
            elif len(rest) == 1 and rest[0][1].value == 1 and _is_view(rest[0][0], self._names):
                # what it is made from stays as it is
                text = f"{self._np}.array({start[1]}, dtype=float)"
            else:
                text = start[1]
            statements.append(f"{{}} = {_escaped(text)}")
        else:
            statements.append(f"{{}} = {self._np}.zeros({self._shape(one.shape)})")
        seen: set[int] = set()
        for places, (sign, text) in parts:
            flat = places.reshape(-1).tolist()
            key = self._key(one.shape, places)
            text = _escaped(text)
            if len(set(flat)) < len(flat):
                key = f"({key})" if _is_pair(key) else key
                statements.append(f"{self._np}.add.at({{}}, {_escaped(key)}, {sign}{text})")
            elif rest or seen & set(flat):
                statements.append(f"{{}}[{_escaped(key)}] {'-' if sign else '+'}= {text}")
            else:
                statements.append(f"{{}}[{_escaped(key)}] = {sign}{text}")
            seen |= set(flat)
        return statements

    def _side_by_side(
        self, shape: Shape, parts: Sequence[tuple[Places, tuple[str, str]]],
        pieces: Sequence[tuple[Expression, Coefficient]],
    ) -> str | None:  # fmt: skip
        """Write a vector of single numbers, or of slices one after the other; None where it is neither."""
        if len(shape) != 1:
            return None
        size = shape[0]
        if all(not places.shape for places, _ in parts) and size <= 16:
            entries: list[list[tuple[Expression, Coefficient]]] = [[] for _ in range(size)]
            for (places, _), (piece, c) in zip(parts, pieces, strict=True):
                entries[int(places)].append((piece.operands[0], c))
            return f"{self._np}.array([{', '.join(self._sum(e)[1] if e else '0.0' for e in entries)}])"
        flat = [places.reshape(-1) for places, _ in parts]
        order = sorted(range(len(parts)), key=lambda k: int(flat[k][0]))
        if not np.array_equal(np.concatenate([flat[k] for k in order]), np.arange(size)):
            return None
        texts: list[str] = []
        single = False
        for k in order:
            (sign, text), (piece, _), (places, _) = parts[k][1], pieces[k], parts[k]
            inner, before, single = piece.operands[0], single, not places.shape
            if single and before:
                # numbers that follow one another
                texts[-1] = f"{texts[-1][:-1]}, {sign}{text}]"
            elif single:
                texts.append(f"[{sign}{text}]")
            elif inner.shape != places.shape:
                texts.append(f"{self._np}.full({len(flat[k])}, {sign}{text})")
            elif len(places.shape) > 1:
                bracketed = sign + self._bracketed(self._text(inner), _ATOM)
                texts.append(f"{f'({bracketed})' if sign else bracketed}.ravel()")
            else:
                texts.append(sign + text)
        return f"{self._np}.concatenate([{', '.join(texts)}])"

    def _signed(self, one: Expression, coefficient: Coefficient) -> tuple[str, str]:
        if one.operation == "product" and one not in self._names:
            coefficient = coefficient * one.payload[0]
        negative = coefficient.above < 0
        size = Coefficient(abs(coefficient.above), coefficient.below)
        if one.operation == "product" and one not in self._names:
            text = self._product(size, list(zip(one.operands, one.payload[1], strict=True)))
        else:
            text = self._scaled(one, size)
        # behind a minus
        return ("-" if negative else ""), self._bracketed(text, _PRODUCT) if negative else text[1]

    # --- expressions

    def _text(self, one: Expression) -> Written:
        found = self._texts.get(one)
        if found is None:
            found = self._texts[one] = self._expression(one)
        return found

    @staticmethod
    def _bracketed(written: Written, needed: int) -> str:
        return written[1] if written[0] >= needed else f"({written[1]})"

    def _atom(self, one: Expression) -> str:
        return self._bracketed(self._text(one), _ATOM)

    def _expression(self, one: Expression) -> Written:
        name, operands = one.operation, one.operands
        if name in ("name", "item"):
            return _ATOM, one.payload
        if name == "mask":
            return (_ATOM if one.payload.isidentifier() else _COMPARE), one.payload
        if name == "product":
            coefficient, exponents = one.payload
            return self._product(coefficient, list(zip(operands, exponents, strict=True)))
        if name == "sum":
            return self._sum(list(zip(operands, one.payload, strict=True)))
        if name in _SIGNS:
            one_, two = (self._bracketed(self._text(o), _SUM) for o in operands)
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
            return _ATOM, f"{self._function(name)}({', '.join(self._text(o)[1] for o in operands)}{self._options(one)})"
        if name in ("pi", "e"):
            return _ATOM, f"{self._np}.{name}"
        if name == "power":
            base, exponent = (self._bracketed(self._text(o), 5 - k) for k, o in enumerate(operands))
            return _POWER, f"{base}**{exponent}"
        row = OPERATIONS.get(name)
        if row is not None and row.names and one.payload is None:
            special = Kind.SPECIAL in row.kind and name != "sinc"
            called = self._function(row.names[0]) if special else f"{self._np}.{row.names[0]}"
            return _ATOM, f"{called}({', '.join(self._text(o)[1] for o in operands)})"
        if name in _NUMPY:
            prefix = "linalg." if name == "cholesky" else ""
            inside = ", ".join(self._text(o)[1] for o in operands)
            return _ATOM, f"{self._np}.{prefix}{name}({inside}{self._options(one)})"
        raise UnsupportedFunction(f"{name} is not written as a function of NumPy")

    def _function(self, name: str) -> str:
        self.special = True
        return f"special.{name}"

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

    def _scaled(self, one: Expression, coefficient: Coefficient) -> Written:
        """Write a product with another coefficient."""
        if one in self._names or one.operation != "product":
            if one.operation == "sum" and one not in self._names and abs(coefficient.value) == 1:
                return self._sum([(t, c * coefficient) for t, c in zip(one.operands, one.payload, strict=True)])
            return self._product(coefficient, [(one, Fraction(1))])
        own, exponents = one.payload
        return self._product(own * coefficient, list(zip(one.operands, exponents, strict=True)))

    def _product(self, coefficient: Coefficient, factors: list[tuple[Expression, Fraction]]) -> Written:
        above, below = self._shown(coefficient)
        top = [(b, e) for b, e in factors if e > 0]
        for k, (base, exponent) in enumerate(top):
            # a sum that is divided by its count
            if base.operation == "total" and exponent == 1 and base not in self._names and _count(base) == below > 1:
                top[k], below = (Expression("mean", base.operands, base.shape, base.payload), exponent), 1
        under = [(b, -e) for b, e in factors if e < 0]
        top.sort(key=lambda f: (bool(f[0].shape), f[0].operation not in ("pi", "e"), f[0].operation in MASKS))
        masks_only = bool(top) and all(b.operation in MASKS for b, _ in top)
        wide = sum(bool(b.shape) for b, _ in top)
        texts = []
        turned = next((b for b, e in top if e == 1 and _is_difference(b) and b not in self._names), None)
        if above < 0 and turned is not None:
            # −(a − b) is b − a
            above = -above
            opposite = Expression(
                "sum", turned.operands[::-1], turned.shape, tuple(c * _MINUS for c in turned.payload[::-1])
            )
            top = [(opposite if b is turned else b, e) for b, e in top]
        negative = above < 0
        if abs(above) != 1 or not top or masks_only:
            number = _number(abs(above))
            texts.append(f"{number}.0" if masks_only and number.isdigit() else number)
        if len(top) == 1 and not texts and not under and below == 1 and not negative:
            return self._raised(*top[0])
        for base, exponent in top:
            precedence, text = self._raised(base, exponent)
            alone = (
                exponent == 1
                and base.operation == "contract"
                and base not in self._names
                and (wide == 1 or not base.shape)
            )
            needed = _PRODUCT if alone and (not texts or base.shape) else _PRODUCT + 1
            if alone and not base.shape and texts:
                needed = _PRODUCT + 1
            texts.append(text if precedence >= needed else f"({text})")
        text = ("-" if negative else "") + " * ".join(texts)
        bottom = [_number(Fraction(below))] if below != 1 else []
        for base, exponent in under:
            precedence, raised = self._raised(base, exponent)
            bottom.append(raised if precedence > _PRODUCT else f"({raised})")
        if bottom:
            text += f" / {bottom[0]}" if len(bottom) == 1 else f" / ({' * '.join(bottom)})"
        if len(texts) == 1 and not bottom and not top:
            return (_ATOM if not negative else _PRODUCT), text
        return _PRODUCT, text

    def _raised(self, base: Expression, exponent: Fraction) -> Written:
        if exponent == 1:
            return self._text(base)
        if exponent == Fraction(1, 2):
            return _ATOM, f"{self._np}.sqrt({self._text(base)[1]})"
        text = self._atom(base)
        return _POWER, f"{text}{'**' if text.replace('.', '').isidentifier() else ' ** '}{_number(exponent)}"

    def _sum(self, terms: list[tuple[Expression, Coefficient]]) -> Written:
        if len(terms) == 1:
            return self._scaled(*terms[0])
        if terms[0][1].above < 0:
            first = next((k for k, (_, c) in enumerate(terms) if c.above > 0), 0)
            terms = [terms[first], *terms[:first], *terms[first + 1 :]]
        text = ""
        for k, (term, coefficient) in enumerate(terms):
            negative = coefficient.above < 0
            written = self._scaled(term, Coefficient(abs(coefficient.above), coefficient.below))
            if term.operation in MASKS and abs(coefficient.value) == 1:
                written = self._product(Coefficient(abs(coefficient.above), coefficient.below), [(term, Fraction(1))])
            part = self._bracketed(written, _PRODUCT if negative else _SUM)
            text += (f" {'-' if negative else '+'} " if k else "-" * negative) + part
        return _SUM, text

    # --- one by one

    def _of_data(self, one: Expression) -> Written:
        raise UnsupportedFunction(
            f"the code computes with an array of shape {one.shape} that has no name where the gradient is to stand; "
            "give it a name, as a global or an argument of the function"
        )

    def _of_one_hot(self, one: Expression) -> Written:
        return _ATOM, one.payload[1]

    def _of_total(self, one: Expression) -> Written:
        inner = one.operands[0]
        if inner.operation == "diagonal" and inner not in self._names:
            return _ATOM, f"{self._np}.trace({self._text(inner.operands[0])[1]})"
        return self._reduction("sum", one, keepdims=False)

    def _reduction(self, name: str, one: Expression, *, keepdims: bool) -> Written:
        (operand,), axes, extra = one.operands, one.payload, ""
        if axes and isinstance(axes[0], tuple):
            axes, ddof = axes
            extra = f", ddof={ddof}" if ddof else ""
        axis = axes[0] if len(axes) == 1 else axes
        along = "" if len(axes) == len(operand.shape) else f", axis={axis}"
        called = self._function(name) if name in _SPECIAL else f"{self._np}.{name}"
        return _ATOM, f"{called}({self._text(operand)[1]}{along}{extra}{', keepdims=True' * keepdims})"

    def _of_mean(self, one: Expression) -> Written:
        return self._reduction("mean", one, keepdims=False)

    def _of_max(self, one: Expression) -> Written:
        return self._reduction(one.operation, one, keepdims=False)

    _of_min = _of_var = _of_std = _of_prod = _of_logsumexp = _of_max

    def _of_norm(self, one: Expression) -> Written:
        return _ATOM, f"{self._np}.linalg.norm({self._text(one.operands[0])[1]})"

    def _of_inv(self, one: Expression) -> Written:
        return _ATOM, f"{self._np}.linalg.inv({self._text(one.operands[0])[1]})"

    def _of_solve(self, one: Expression) -> Written:
        return _ATOM, f"{self._np}.linalg.solve({', '.join(self._text(o)[1] for o in one.operands)})"

    def _of_determinant(self, one: Expression) -> Written:
        return _ATOM, f"{self._np}.linalg.det({self._text(one.operands[0])[1]})"

    def _of_log_determinant(self, one: Expression) -> Written:
        return _ATOM, f"{self._np}.linalg.slogdet({self._text(one.operands[0])[1]})[1]"

    def _of_diagonal(self, one: Expression) -> Written:
        return _ATOM, f"{self._np}.diag({self._text(one.operands[0])[1]})"

    def _of_eye(self, one: Expression) -> Written:
        return _ATOM, f"{self._np}.eye({one.shape[0]})"

    def _of_absolute(self, one: Expression) -> Written:
        return _ATOM, f"{self._np}.abs({self._text(one.operands[0])[1]})"

    def _of_outer(self, one: Expression) -> Written:
        return _ATOM, f"{self._np}.outer({', '.join(self._text(o)[1] for o in one.operands)})"

    def _of_flip(self, one: Expression) -> Written:
        return _ATOM, f"{self._np}.flip({self._text(one.operands[0])[1]}{self._options(one)})"

    def _of_diff(self, one: Expression) -> Written:
        return _ATOM, f"{self._np}.diff({self._text(one.operands[0])[1]}{self._options(one)})"

    def _of_roll(self, one: Expression) -> Written:
        options = dict(one.payload)
        axis = "" if options.get("axis") is None else f", axis={options['axis']}"
        return _ATOM, f"{self._np}.roll({self._text(one.operands[0])[1]}, {options['shift']}{axis})"

    def _of_convolve(self, one: Expression) -> Written:
        texts = ", ".join(self._text(o)[1] for o in one.operands)
        mode = "" if one.payload == ("full" if one.operation == "convolve" else "valid") else f', "{one.payload}"'
        return _ATOM, f"{self._np}.{one.operation}({texts}{mode})"

    _of_correlate = _of_convolve

    def _of_concatenate(self, one: Expression) -> Written:
        axis = f", axis={one.payload}" if one.payload else ""
        return _ATOM, f"{self._np}.concatenate([{', '.join(self._text(o)[1] for o in one.operands)}]{axis})"

    def _of_cumulate(self, one: Expression) -> Written:
        axis, backwards = one.payload
        ndim = len(one.shape)
        along = "" if ndim == 1 else f", axis={axis}"
        turn = ":, " * axis + "::-1" if backwards else ""
        inner = f"{self._atom(one.operands[0])}[{turn}]" if backwards else self._text(one.operands[0])[1]
        text = f"{self._np}.cumsum({inner}{along})"
        return _ATOM, f"{text}[{turn}]" if backwards else text

    def _of_transpose(self, one: Expression) -> Written:
        axes = one.payload
        if axes == tuple(range(len(axes)))[::-1]:
            return _ATOM, f"{self._atom(one.operands[0])}.T"
        return _ATOM, f"{self._np}.transpose({self._text(one.operands[0])[1]}, {axes})"

    def _of_index(self, one: Expression) -> Written:
        return _ATOM, f"{self._atom(one.operands[0])}[{self._key(one.operands[0].shape, one.payload.places)}]"

    def _key(self, shape: Shape, places: Places) -> str:
        found = key_text(shape, places, self._named_places, self._ends, self._np)
        if found is None:
            raise UnsupportedFunction(
                f"the code takes elements of an array of shape {shape} that no slice takes; give the array of their "
                "indices a name, as a global or an argument of the function"
            )
        return found

    def _of_broadcast(self, one: Expression) -> Written:
        inner = one.operands[0]
        shape = self._shape(one.shape)
        if inner.number == 0:
            return _ATOM, f"{self._np}.zeros({shape})"
        if inner.number == 1:
            return _ATOM, f"{self._np}.ones({shape})"
        if not inner.shape:
            return _ATOM, f"{self._np}.full({shape}, {self._text(inner)[1]})"
        return _ATOM, f"{self._np}.broadcast_to({self._text(inner)[1]}, {shape})"

    @staticmethod
    def _shape(shape: Shape) -> str:
        return str(shape[0]) if len(shape) == 1 else str(shape)

    def _of_reshape(self, one: Expression) -> Written:
        inner = one.operands[0]
        if (
            inner.operation in ("total", "mean", "max", "min", "var", "std", "prod", "logsumexp")
            and inner not in self._names
        ):
            axes = inner.payload[0] if inner.payload and isinstance(inner.payload[0], tuple) else inner.payload
            before = inner.operands[0].shape
            if one.shape == tuple(1 if a in axes else n for a, n in enumerate(before)):
                return self._reduction("sum" if inner.operation == "total" else inner.operation, inner, keepdims=True)
        if len(inner.shape) == 2 and one.shape == inner.shape[::-1]:
            return _ATOM, f"{self._atom(inner)}.T"
        key = unit_axes(inner.shape, one.shape)
        if key is not None:
            return _ATOM, f"{self._atom(inner)}[{key}]"
        if len(one.shape) == 1:
            return _ATOM, f"{self._atom(inner)}.ravel()"
        return _ATOM, f"{self._atom(inner)}.reshape({', '.join(map(str, one.shape))})"

    def _of_scatter(self, _: Expression) -> Written:
        raise UnsupportedFunction("elements are put where no slice puts them")

    def _of_join(self, one: Expression) -> Written:
        parts = [
            self._atom(o) + (".ravel()" if len(o.shape) > 1 else "") if o.shape else f"[{self._text(o)[1]}]"
            for o in one.operands
        ]
        return _ATOM, f"{self._np}.concatenate([{', '.join(parts)}])"

    def _of_contract(self, one: Expression) -> Written:
        left, right, result, _, summed, _ = contracted(one.payload)
        first, second = one.operands
        if len(summed) == 1:
            found = self._by_matmul(first, left, second, right, result, summed) or self._by_matmul(
                second, right, first, left, result, summed
            )
            if found is not None:
                return _PRODUCT, found
        texts = ", ".join(self._text(o)[1] for o in one.operands)
        return _ATOM, f'{self._np}.einsum("{one.payload}", {texts})'

    def _by_matmul(self, first: Expression, one: str, second: Expression, two: str, result: str, c: str) -> str | None:
        texts = [self._bracketed(self._text(o), _PRODUCT + 1) for o in (first, second)]
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
            texts[0] = _turned(self._atom(first), one, self._np, self._text(first)[1])
        if right[0] != c:
            texts[1] = _turned(self._atom(second), two, self._np, self._text(second)[1])
        return " @ ".join(texts)


_ONE, _MINUS = Coefficient(Fraction(1)), Coefficient(Fraction(-1))


def _count(one: Expression) -> int:
    """Return how many elements a sum adds for each of its own."""
    return math.prod(one.operands[0].shape[a] for a in one.payload)


def _is_view(one: Expression, names: Collection[Expression]) -> bool:
    """Tell whether an expression may be an array that something else is made of."""
    views = ("name", "item", "reshape", "transpose", "index", "broadcast")
    return one in names or one.operation in views


def _is_pair(key: str) -> bool:
    """Tell whether a key has several axes."""
    depth = 0
    for sign in key:
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and not depth:
            return True
    return False


def _is_part(one: Expression, wanted: Collection[Expression]) -> bool:
    """Tell whether an expression is a part of an array that has a name of its own in the code."""
    return one.operation in ("index", "reshape") and one in wanted


def _is_difference(one: Expression) -> bool:
    return one.operation == "sum" and len(one.operands) == 2 and one.payload[0].above > 0 > one.payload[1].above


def _turned(atom: str, letters: str, numpy: str, text: str) -> str:
    return f"{atom}.T" if len(letters) == 2 else f"{numpy}.swapaxes({text}, -1, -2)"


def _wrapped(line: str) -> list[str]:
    """Break a line that is too long between what stands in its widest brackets."""
    if len(line) <= _WIDTH:
        return [line]
    stack: list[int] = []
    commas: dict[int, list[int]] = {}
    pairs: list[tuple[int, int]] = []
    for k, sign in enumerate(line):
        if sign in "([{":
            stack.append(k)
            commas[k] = []
        elif sign in ")]}" and stack:
            pairs.append((stack.pop(), k))
        elif sign == "," and stack:
            commas[stack[-1]].append(k)
    pairs = [pair for pair in pairs if commas[pair[0]]]
    if not pairs:
        return [line]
    start, end = max(pairs, key=lambda pair: pair[1] - pair[0])
    cuts = [start, *commas[start], end]
    found = [line[: start + 1]]
    for low, high in itertools.pairwise(cuts):
        part = line[low + 1 : high].strip() + ("," if high != end else "")
        if len(found) > 1 and len(found[-1]) + len(part) < _WIDTH:
            found[-1] += f" {part}"
        else:
            found.append(f"    {part}")
    return [*found, line[end:]]


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _is_gathered(one: Expression) -> bool:
    """Tell whether an array is put together from pieces."""
    return one.operation == "scatter" or (
        one.operation == "sum" and any(o.operation == "scatter" for o in one.operands)
    )


def _number(value: Fraction) -> str:
    """Write a number as a literal."""
    if value.denominator == 1 and abs(value) < 10**15:
        return str(value.numerator)
    return repr(float(value))
