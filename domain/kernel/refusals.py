"""拒绝 · Refusals: what the business says no to, each with one code of the closed list, a message and its figures.

A refusal is raised where the rule is. The GraphQL edge turns it into a `userError`; the command rolls back and writes a
guard-log row. `Denied` and its kin are no business answers: the edge turns them into top-level errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from string import Formatter
from typing import Any, ClassVar


class Language(StrEnum):
    """Languages of messages (Accept-Language)."""

    CHINESE = "zh-CN"
    ENGLISH = "en"


REFUSALS: dict[str, type[Refusal]] = {}


def plain(value: Any) -> Any:
    """A figure as JSON shows it: money as a string with its two places, everything else by `str` unless JSON knows it."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, (str, int, bool)) or value is None:
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return str(value)


def plain_rate(value: Decimal) -> Decimal:
    """A rate as the contract writes it, without zeros at the end: 0.12000000 is 0.12."""
    return Decimal(f"{value.normalize():f}")


class Refusal(Exception):
    """One rule said no. `field` is the path inside the input, e.g. ("amount",); `params` are the figures behind it.

    Subclasses give `code` (a value of the contract's ErrorCode) and the message in both languages; `{name}` in a message
    is filled from the params. `zh=`/`en=` replace the message where one code is refused for several reasons.
    """

    code: ClassVar[str] = ""
    zh: ClassVar[str] = ""
    en: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.code:
            if cls.code in REFUSALS:
                raise TypeError(f"two refusals carry the code {cls.code}")
            REFUSALS[cls.code] = cls

    def __init__(self, field: str | tuple[str, ...] = (), *, zh: str = "", en: str = "", **params: Any) -> None:
        super().__init__(self.code)
        self.field = (field,) if isinstance(field, str) else tuple(field)
        self.params = {key: plain(value) for key, value in params.items()}
        self._texts = {Language.CHINESE: zh or self.zh, Language.ENGLISH: en or self.en}

    def message(self, language: Language) -> str:
        """The sentence for people; a figure that the rule did not give is left out as "–"."""
        text = self._texts[language]
        names = {name for _, name, _, _ in Formatter().parse(text) if name}
        return text.format(**{name: _said(self.params.get(name, "–")) for name in names})


def _said(figure: Any) -> str:
    return ", ".join(map(str, figure)) if isinstance(figure, list) else str(figure)


def refusal(code: str, zh: str, en: str) -> type[Refusal]:
    """Declares one refusal. The class name is the code in CamelCase: `AMOUNT_EXCEEDS_DUE` → `AmountExceedsDue`."""
    name = "".join(part.capitalize() for part in code.split("_"))
    return type(name, (Refusal,), {"code": code, "zh": zh, "en": en, "__module__": __name__})


InvalidInput = refusal("INVALID_INPUT", "输入有误。", "The input is not valid.")
InvalidAmount = refusal("INVALID_AMOUNT", "金额无效：{amount}。", "The amount {amount} is not valid.")
InvalidIdNumber = refusal("INVALID_ID_NUMBER", "身份证号码校验不通过。", "The ID number does not pass its check.")
InvalidUscc = refusal(
    "INVALID_USCC", "统一社会信用代码校验不通过。", "The unified social credit code does not pass its check."
)
InvalidBankCard = refusal("INVALID_BANK_CARD", "银行卡号校验不通过。", "The bank card number does not pass its check.")
InvalidMobile = refusal("INVALID_MOBILE", "手机号码无效。", "The mobile number is not valid.")
Duplicate = refusal("DUPLICATE", "已经存在相同的记录：{value}。", "There is such a record already: {value}.")
NotFound = refusal("NOT_FOUND", "未找到该记录。", "There is no such record.")
InvalidState = refusal(
    "INVALID_STATE", "当前状态（{state}）不允许此操作。", "This cannot be done in the present state ({state})."
)
Conflict = refusal(
    "CONFLICT",
    "记录已被他人修改，请刷新后重试（版本 {version}）。",
    "Somebody has changed the record; read it again (version {version}).",
)
ClosedBusinessDay = refusal(
    "CLOSED_BUSINESS_DAY", "营业日 {on} 不可记账。", "The business day {on} cannot take this entry."
)
IdempotencyKeyReused = refusal(
    "IDEMPOTENCY_KEY_REUSED",
    "幂等键已用于另一请求，请换一个键。",
    "This idempotency key has served another request; take a new key.",
)
InUse = refusal("IN_USE", "仍在使用中，不能删除。", "It is still in use.")
BadCredentials = refusal("BAD_CREDENTIALS", "用户名或密码错误。", "The user name or the password is wrong.")
AccountLocked = refusal(
    "ACCOUNT_LOCKED", "登录失败次数过多，请于 {until} 后再试。", "Too many failed sign-ins; try again after {until}."
)
OtpRequired = refusal("OTP_REQUIRED", "需要动态验证码。", "A one-time code is needed.")
WeakPassword = refusal(
    "WEAK_PASSWORD", "密码至少需要 {minimum} 个字符。", "A password has at least {minimum} characters."
)
TenantSuspended = refusal("TENANT_SUSPENDED", "该机构已停用。", "This lender is suspended.")
QuotaExceeded = refusal("QUOTA_EXCEEDED", "超出配额（{limit}）。", "Over the quota ({limit}).")
SamePerson = refusal(
    "SAME_PERSON", "经办与复核不能为同一人。", "Maker and checker of one thing must be different people."
)
MutuallyExclusiveRoles = refusal(
    "MUTUALLY_EXCLUSIVE_ROLES",
    "同一人不能同时担任互斥的岗位：{roles}。",
    "One person may not hold both of these roles: {roles}.",
)
RelatedPerson = refusal(
    "RELATED_PERSON", "与该客户有关联，须回避。", "You are related to the customer and must stand aside."
)
ApprovalLimitExceeded = refusal(
    "APPROVAL_LIMIT_EXCEEDED",
    "超出审批权限：限额 {limit}，金额 {amount}。",
    "Over your approval limit: {amount} against {limit}.",
)
ApprovalExpired = refusal("APPROVAL_EXPIRED", "审批已于 {valid_until} 失效。", "The approval ended on {valid_until}.")
HandoverRequired = refusal("HANDOVER_REQUIRED", "请先完成业务移交。", "Hand over the work first.")
Blacklisted = refusal("BLACKLISTED", "客户在黑名单中。", "The customer is on the blacklist.")
AgeOutOfRange = refusal(
    "AGE_OUT_OF_RANGE",
    "年龄 {age} 岁，超出允许范围 {minimum}–{maximum} 岁。",
    "Age {age} is outside {minimum} to {maximum}.",
)
ConsentMissing = refusal("CONSENT_MISSING", "缺少客户授权：{consents}。", "The customer has not agreed to: {consents}.")
ForbiddenPurpose = refusal("FORBIDDEN_PURPOSE", "贷款用途被禁止：{purpose}。", "This purpose is forbidden: {purpose}.")
RegionNotAllowed = refusal(
    "REGION_NOT_ALLOWED", "客户地区不在展业范围：{region}。", "The region {region} is not allowed."
)
ProductRuleViolated = refusal(
    "PRODUCT_RULE_VIOLATED",
    "不符合产品规则（{rule}）：{value}，允许 {allowed}。",
    "Against the product's rule ({rule}): {value}, allowed {allowed}.",
)
SingleBorrowerLimitExceeded = refusal(
    "SINGLE_BORROWER_LIMIT_EXCEEDED",
    "超出单户限额：限额 {limit}，放款后 {after}。",
    "Over the single-borrower limit: {after} against {limit}.",
)
GroupLimitExceeded = refusal(
    "GROUP_LIMIT_EXCEEDED",
    "超出集团客户限额：限额 {limit}，放款后 {after}。",
    "Over the limit for related borrowers: {after} against {limit}.",
)
LicenceLimitExceeded = refusal(
    "LICENCE_LIMIT_EXCEEDED",
    "超出牌照限额：限额 {limit}，放款后 {after}。",
    "Over the limit of the licence: {after} against {limit}.",
)
CostCapExceeded = refusal(
    "COST_CAP_EXCEEDED",
    "综合融资成本 {cost} 超过上限 {cap}。",
    "The all-in cost {cost} is over the cap {cap}.",
)
RepaymentCapacityExceeded = refusal(
    "REPAYMENT_CAPACITY_EXCEEDED",
    "还款收入比 {ratio} 超过 {limit}。",
    "Debt service takes {ratio} of the income, over {limit}.",
)
UpfrontDeduction = refusal(
    "UPFRONT_DEDUCTION",
    "不得从本金中预扣：应付 {amount}，实付 {paid}。",
    "Nothing may be deducted from the principal: {amount} due, {paid} paid.",
)
PayeeNotBorrower = refusal("PAYEE_NOT_BORROWER", "收款人不是借款人。", "The payee is not the borrower.")
PayerNotEntrustor = refusal("PAYER_NOT_ENTRUSTOR", "付款人不是委托人。", "The payer is not the entrustor.")
SecurityNotEffective = refusal("SECURITY_NOT_EFFECTIVE", "担保尚未生效。", "The security is not effective yet.")
ContractNotSigned = refusal("CONTRACT_NOT_SIGNED", "合同尚未签署。", "The contract is not signed.")
CostSheetNotAcknowledged = refusal(
    "COST_SHEET_NOT_ACKNOWLEDGED",
    "借款人尚未确认综合融资成本明示表。",
    "The borrower has not acknowledged the cost sheet.",
)
CreditLimitExceeded = refusal(
    "CREDIT_LIMIT_EXCEEDED", "超出可用额度 {available}。", "Over the available limit {available}."
)
FacilityFrozen = refusal("FACILITY_FROZEN", "授信额度已冻结。", "The facility is frozen.")
EntrustedFundInsufficient = refusal(
    "ENTRUSTED_FUND_INSUFFICIENT",
    "委托资金不足：可用 {available}。",
    "Not enough entrusted money: {available} available.",
)
InsufficientAccountBalance = refusal(
    "INSUFFICIENT_ACCOUNT_BALANCE",
    "账户余额不足：余额 {balance}，需要 {amount}。",
    "The account holds {balance}, {amount} is needed.",
)
AmountExceedsDue = refusal(
    "AMOUNT_EXCEEDS_DUE", "金额 {asked} 超过应还 {due}。", "{asked} is more than the {due} that is due."
)
RefundExceedsBalance = refusal(
    "REFUND_EXCEEDS_BALANCE", "超过可退余额 {balance}。", "Over the refundable balance {balance}."
)
DebtNotSettled = refusal("DEBT_NOT_SETTLED", "债务尚未结清：{outstanding}。", "The debt is not settled: {outstanding}.")
ExtensionTooLong = refusal(
    "EXTENSION_TOO_LONG", "展期超过允许期限 {allowed}。", "The extension is longer than {allowed}."
)
GuarantorConsentMissing = refusal(
    "GUARANTOR_CONSENT_MISSING", "缺少担保人书面同意。", "The guarantor's consent is missing."
)
ArrearsExist = refusal("ARREARS_EXIST", "存在欠款 {arrears}。", "There are arrears of {arrears}.")
NotLossClass = refusal("NOT_LOSS_CLASS", "贷款分类不是损失类。", "The loan is not in the class LOSS.")
UpgradeTestNotMet = refusal("UPGRADE_TEST_NOT_MET", "未满足分类上调条件。", "The upgrade test is not met.")
AllowanceInsufficient = refusal("ALLOWANCE_INSUFFICIENT", "贷款损失准备不足。", "The allowance does not suffice.")
ContactWindowClosed = refusal("CONTACT_WINDOW_CLOSED", "不在允许催收时段。", "Outside the hours for collection.")
ContactLimitReached = refusal(
    "CONTACT_LIMIT_REACHED", "已达当日联系次数上限。", "The day's limit of contacts is reached."
)
ContactNotAllowed = refusal("CONTACT_NOT_ALLOWED", "不得联系该人员。", "This person may not be contacted.")


class Denied(Exception):
    """Not a business answer: who asks may not do this at all (top-level FORBIDDEN)."""

    code = "FORBIDDEN"

    def __init__(self, permission: str) -> None:
        super().__init__(permission)
        self.permission = permission


class Unauthenticated(Exception):
    """Nobody known is asking (top-level UNAUTHENTICATED)."""

    code = "UNAUTHENTICATED"


class BadInput(Exception):
    """The request itself is malformed: an id, a cursor, a page size (top-level BAD_USER_INPUT)."""

    code = "BAD_USER_INPUT"
