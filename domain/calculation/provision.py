"""拨备 · Provision for loan losses: general and specific, and the ratios of a portfolio.

Built in: 银发〔2002〕98号 (1 % general; 2, 25, 50, 100 % specific), the ladder of local rules (1 % on 正常 instead of a
general provision) and the standard coefficients of 财金〔2012〕20号. Entrusted loans (委托贷款) bear no risk of the
lender: the caller makes no provision for them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from domain.calculation.classification import FiveClass
from domain.calculation.money import div_half_up


@dataclass(frozen=True, slots=True)
class ProvisionPolicy:
    """`general_rate` of all principal, and `specific` rates in the order of `FiveClass`."""

    code: str
    general_rate: Fraction
    specific: tuple[Fraction, ...]


def _policy(code: str, general_rate: str, *specific: str) -> ProvisionPolicy:
    return ProvisionPolicy(code, Fraction(general_rate), tuple(map(Fraction, specific)))


PBOC_2002_98 = _policy("PBOC_2002_98", "0.01", "0", "0.02", "0.25", "0.50", "1")
LADDER_LOCAL = _policy("LADDER_LOCAL", "0", "0.01", "0.02", "0.25", "0.50", "1")
MOF_2012_20_STANDARD = _policy("MOF_2012_20_STANDARD", "0", "0.015", "0.03", "0.30", "0.60", "1")

POLICIES = {policy.code: policy for policy in (PBOC_2002_98, LADDER_LOCAL, MOF_2012_20_STANDARD)}


@dataclass(frozen=True, slots=True)
class Provision:
    """General (一般准备) and specific (专项准备) provision in fen, each rounded by itself."""

    general: int
    specific: int

    @property
    def total(self) -> int:
        return self.general + self.specific


def provision(policy: ProvisionPolicy, five_class: FiveClass, principal: int) -> Provision:
    """What one loan requires; `principal` is its outstanding principal in fen. Golden: classification cases."""
    return Provision(
        general=_share(principal, policy.general_rate),
        specific=_share(principal, policy.specific[five_class.rank]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """Sums in fen, ratios with four decimals; a ratio to nothing is None."""

    principal: int
    npl_principal: int
    general_required: int
    specific_required: int
    npl_ratio: Decimal | None  # 不良率: non-performing / all principal
    provision_coverage_ratio: Decimal | None  # 拨备覆盖率: booked / non-performing
    loan_provision_ratio: Decimal | None  # 拨贷比: booked / all principal
    adequacy_ratio: Decimal | None  # 拨备充足率: booked / required

    @property
    def required(self) -> int:
        return self.general_required + self.specific_required


def portfolio(policy: ProvisionPolicy, loans: Iterable[tuple[FiveClass, int]], booked: int) -> Portfolio:
    """Sums and ratios of the lender's own loans, each as (class, principal); `booked` is the allowance; all in fen."""
    principal = npl = general = specific = 0
    for five_class, amount in loans:
        needed = provision(policy, five_class, amount)
        principal += amount
        npl += amount if five_class.non_performing else 0
        general += needed.general
        specific += needed.specific
    return of_sums(principal, npl, general, specific, booked)


def of_sums(principal: int, npl_principal: int, general: int, specific: int, booked: int) -> Portfolio:
    """The ratios of a portfolio whose sums are known; all in fen. Golden: portfolio."""
    return Portfolio(
        principal=principal,
        npl_principal=npl_principal,
        general_required=general,
        specific_required=specific,
        npl_ratio=_ratio(npl_principal, principal),
        provision_coverage_ratio=_ratio(booked, npl_principal),
        loan_provision_ratio=_ratio(booked, principal),
        adequacy_ratio=_ratio(booked, general + specific),
    )


def _share(amount: int, rate: Fraction) -> int:
    return div_half_up(amount * rate.numerator, rate.denominator)


def _ratio(part: int, whole: int) -> Decimal | None:
    return Decimal(div_half_up(part * 10**4, whole)).scaleb(-4) if whole else None
