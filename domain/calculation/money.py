"""金额 · Money: integer fen inside calculations, Decimal yuan with two places outside.

Fen are counted in `int`, so nothing is lost on the way; a figure is rounded half up (四舍五入) once, when it is posted.
"""

from decimal import Decimal
from fractions import Fraction


def half_up(value: Fraction | int) -> int:
    """Round to the nearest whole, halves upwards: floor(value + 1/2), also below zero (-0.5 becomes 0)."""
    return div_half_up(value.numerator, value.denominator)


def div_half_up(num: int, den: int) -> int:
    """`num / den` rounded half up; `den` is positive."""
    return (2 * num + den) // (2 * den)


def fen(amount: Decimal | str) -> int:
    """Yuan to fen: "8884.88" becomes 888488.

    Raises ValueError for a float, for what is no finite number and for more than two decimal places.
    """
    if not isinstance(amount, Decimal | str):
        raise ValueError(f"an amount is a Decimal or a string, not a {type(amount).__name__}")
    try:
        scaled = Decimal(amount).scaleb(2)
        whole = int(scaled)
    except (ArithmeticError, ValueError) as error:
        raise ValueError(f"{amount!r} is no amount") from error
    if scaled != whole:
        raise ValueError(f"{amount!r} has more than two decimal places")
    return whole


def yuan(amount: int) -> Decimal:
    """Fen to yuan with two places: 888488 becomes Decimal("8884.88")."""
    return Decimal(amount).scaleb(-2)
