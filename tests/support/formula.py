"""The one evaluator of printed formulas: + - * / and brackets over named inputs, `round_half_up` to the cent,
`max`, `min` and `power`.

It reads the text as a client would who has nothing but the answer of the API, and works in exact fractions.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction

OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
FUNCTIONS: dict[str, Callable[..., Fraction]] = {
    "round_half_up": lambda amount: Fraction(math.floor(amount * 100 + Fraction(1, 2)), 100),
    "max": max,
    "min": min,
    "power": lambda base, times: base ** int(times),
}


def worked_out(formula: str, inputs: Mapping[str, str]) -> Fraction:
    """The amount in yuan. Raises KeyError for a name without an input, ValueError for what is not in the language."""

    def value(node: ast.expr) -> Fraction:
        match node:
            case ast.Constant(value=int(number)):
                return Fraction(number)
            case ast.Name(id=name):
                return Fraction(inputs[name])
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -value(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATIONS:
                return OPERATIONS[type(op)](value(left), value(right))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
                return FUNCTIONS[name](*map(value, arguments))
        raise ValueError(f"{ast.unparse(node)} is not part of the language of formulas")

    return value(ast.parse(formula, mode="eval").body)
