"""Programs at points x + ih in exact rational arithmetic: what decides ties beside the real axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from diffcompare.program.dag import Node, Program
from diffcompare.program.operations import FALLBACKS, Kind, named
from diffcompare.program.run import interpret, payload_of

__all__ = ["exact_imaginary_part"]

# beyond this size an exact value is given up: the cost must stay bounded
_BITS = 60_000
_EXACT = named(Kind.RATIONAL)


@dataclass(frozen=True, slots=True)
class _Gaussian:
    """A complex number of rational parts."""

    real: Fraction
    imag: Fraction = Fraction(0)

    def __add__(self, other: _Gaussian) -> _Gaussian:
        return _Gaussian(self.real + other.real, self.imag + other.imag)

    def __sub__(self, other: _Gaussian) -> _Gaussian:
        return self + -other

    def __neg__(self) -> _Gaussian:
        return _Gaussian(-self.real, -self.imag)

    def __mul__(self, other: _Gaussian) -> _Gaussian:
        return _Gaussian(
            self.real * other.real - self.imag * other.imag, self.real * other.imag + self.imag * other.real
        )

    def __truediv__(self, other: _Gaussian) -> _Gaussian:
        size = other.real**2 + other.imag**2
        return self * _Gaussian(other.real / size, -other.imag / size)

    def __pow__(self, exponent: int) -> _Gaussian:
        if exponent < 0:
            return _Gaussian(Fraction(1)) / self**-exponent
        # repeated squares
        power, square = _Gaussian(Fraction(1)), self
        while exponent:
            power = power * square if exponent & 1 else power
            exponent >>= 1
            square = square * square if exponent else square
        return power

    def bits(self) -> int:
        parts = (self.real, self.imag)
        return max(max(part.numerator.bit_length(), part.denominator.bit_length()) for part in parts)


def exact_imaginary_part(program: Program, point: Sequence[float], i: int, h: float) -> Fraction | None:
    """Return Im F(x + ih·e_i) where the output needs only + − × ÷ and integer powers; None for any other, or a pole."""

    def leaf(node: Node) -> _Gaussian | None:
        if node.operation == "variable":
            k = int(node.payload or 0)
            return _small(_Gaussian(Fraction(point[k]), Fraction(h if k == i else 0)))
        return _small(_Gaussian(Fraction(node.payload or 0))) if node.operation == "constant" else None

    output = interpret(program, leaf, _computed)[program.outputs[0]]
    return None if output is None else output.imag


def _small(value: _Gaussian) -> _Gaussian | None:
    return value if value.bits() <= _BITS else None


def _computed(node: Node, *operands: _Gaussian | None) -> _Gaussian | None:
    known = [operand for operand in operands if operand is not None]
    if len(known) < len(operands) or node.operation not in _EXACT:
        return None
    exponent = payload_of(node)
    if exponent and known[0].bits() * abs(exponent[0]) > _BITS:
        return None
    try:
        return _small(FALLBACKS[node.operation](*known, *exponent))
    except ZeroDivisionError:
        return None
