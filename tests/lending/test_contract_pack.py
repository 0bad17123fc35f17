"""合同文本: the figures and words of the pack, and that the same data print the same bytes (F51)."""

import hashlib
import io
from dataclasses import replace
from datetime import date
from decimal import Decimal as D
from types import SimpleNamespace

import pytest
from pypdf import PdfReader

from domain.calculation.schedule import Basis, Method, PeriodUnit
from domain.configuration.loan_product import LendingMode
from domain.configuration.template import CONTRACT_PACK, ENTRUSTED_PACK, FILES, TEMPLATES
from domain.lending.contract_pack import (
    BASES,
    METHODS,
    MODES,
    UNITS,
    Agreed,
    Entrusted,
    amount_in_words,
    data_of,
    grouped,
    percent,
)
from domain.lending.offer import Limits
from gateways.documents.port import DocumentError
from gateways.documents.typst import TypstDocuments
from tests.lending.test_guard_rules import PRODUCT, S01, priced

AGREED = Agreed(
    number="JK-2026-0001",
    lender="示范小额贷款有限公司",
    borrower="张三 #*[危险]",
    identifier_name="身份证号码",
    identifier="999999199001010016",
    offer=S01,
    product=SimpleNamespace(
        **vars(PRODUCT),
        grace_days=3,
        penalty_multiplier=D("1.50000000"),
        compound=True,
        prepayment_fee_rate=D("0.01"),
        allocation_order=["FEE", "PENALTY", "COMPOUND", "INTEREST", "PRINCIPAL"],
    ),
    lending_mode=LendingMode.CREDIT,
    purpose="采购原材料",
    conditions=None,
    facility=None,
    entrusted=None,
    drawn_up_on=date(2026, 1, 15),
    priced=priced(S01),
    limits=Limits(D("0.24"), D("0.12")),
)


ENTRUSTED = Entrusted(
    contract=SimpleNamespace(
        number="WT-2026-0001",
        amount=D("2000000.00"),
        one_off_fee_rate=D("0.003"),
        interest_fee_rate=D("0.02"),
        instruction_letter="委托书2026-1",
        purpose="补充流动资金",
        signed_on=date(2026, 1, 10),
    ),
    entrustor="国盛投资",
    identifier_name="统一社会信用代码",
    identifier="91999999MA00000001",
)


@pytest.mark.parametrize(
    ("rate", "shown"), [(D("0.12"), "12%"), (D("0.120468"), "12.0468%"), (D("0"), "0%"), (D("1"), "100%"), (None, "—")]
)
def test_rates_as_people_read_them(rate, shown):
    assert percent(rate) == shown


def test_amounts_as_contracts_write_them():
    assert grouped(D("100000.00")) == "100,000.00"
    assert amount_in_words(D("10050.03")) == "壹万零伍拾元零叁分"


def test_every_choice_has_its_word():
    assert METHODS.keys() == set(Method)
    assert (UNITS.keys(), BASES.keys(), MODES.keys()) == (set(PeriodUnit), set(Basis), set(LendingMode))


async def text_of(code: str, agreed: Agreed = AGREED) -> str:
    template = (FILES / f"{code.lower()}.typ").read_text(encoding="utf-8")
    printed = await TypstDocuments().pdf(template, data_of(agreed))
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(printed)).pages]
    return "".join("".join(pages).split())


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "LOAN_CONTRACT",
            ["壹拾万元整", "100,000.00", "张三#*[危险]", "999999199001010016", "12%", "等额本息", "1.5倍"],
        ),
        ("LOAN_NOTE", ["JK-2026-0001", "壹拾万元整", "采购原材料"]),
        ("COST_SHEET", ["6,618.53", "0.999998%", "12.6825%", "12.7382%", "12.0468%", "上限24%"]),
        ("REPAYMENT_SCHEDULE", ["8,884.88", "8,884.85", "106,618.53", "2026-02-15", "2027-01-15"]),
    ],
)
async def test_what_each_document_says(code, said):
    text = await text_of(code)
    assert [words for words in said if words not in text] == []


async def test_conditions_are_a_clause_of_their_own():
    assert "放款前提条件" not in await text_of("LOAN_CONTRACT")
    assert "先办抵押登记" in await text_of("LOAN_CONTRACT", replace(AGREED, conditions="先办抵押登记"))


@pytest.mark.parametrize("code", ["LOAN_CONTRACT", "LOAN_NOTE"])
async def test_the_papers_of_a_drawdown_name_its_facility(code):
    assert "授信编号" not in await text_of(code)
    assert "授信编号：SX-2026-0001" in await text_of(code, replace(AGREED, facility="SX-2026-0001"))


async def test_the_agreement_names_all_three_the_fees_and_who_bears_the_risk():
    """0.3 % of 100,000.00 is 300.00; a fee of nothing is said to be nothing."""
    text = await text_of("ENTRUSTED_LOAN_AGREEMENT", replace(AGREED, entrusted=ENTRUSTED))
    said = [
        "委托人（甲方）：国盛投资", "91999999MA00000001", "受托人（乙方）：示范小额贷款有限公司", "借款人（丙方）：张三#*[危险]",
        "WT-2026-0001", "JK-2026-0001", "贰佰万元整", "2,000,000.00", "壹拾万元整", "100,000.00", "委托书2026-1", "采购原材料",
        "补充流动资金", "0.3%", "300.00元", "的2%", "信用风险由甲方自行承担", "乙方仅为受托人",
    ]  # fmt: skip
    assert [words for words in said if words not in text] == []
    free = SimpleNamespace(**vars(ENTRUSTED.contract) | {"one_off_fee_rate": D("0")})
    text = await text_of("ENTRUSTED_LOAN_AGREEMENT", replace(AGREED, entrusted=replace(ENTRUSTED, contract=free)))
    assert "发放金额的0%，本笔为人民币0.00元" in text


async def test_the_loan_contract_says_that_the_lender_is_an_agent():
    own = await text_of("LOAN_CONTRACT")
    text = await text_of("LOAN_CONTRACT", replace(AGREED, entrusted=ENTRUSTED))
    said = ["委托合同编号：WT-2026-0001", "资金由委托人国盛投资提供", "甲方仅作为受托人"]
    assert [words for words in said if words not in text or words in own] == []


def test_a_pack_is_of_texts_that_every_lender_has():
    assert ENTRUSTED_PACK.keys() - CONTRACT_PACK.keys() == {"ENTRUSTED_LOAN_AGREEMENT"}
    assert TEMPLATES.keys() == {path.stem.upper() for path in FILES.glob("*.typ")}


async def test_the_same_data_print_the_same_bytes():
    prints = set()
    for _ in range(2):
        documents = TypstDocuments()
        for code in CONTRACT_PACK:
            template = (FILES / f"{code.lower()}.typ").read_text(encoding="utf-8")
            prints.add(hashlib.sha256(await documents.pdf(template, data_of(AGREED))).hexdigest())
    assert len(prints) == len(CONTRACT_PACK)


@pytest.mark.parametrize("template", ["#data.nothing", "#let", '#read("/etc/passwd")'])
async def test_a_template_that_does_not_fit_says_so(template):
    with pytest.raises(DocumentError):
        await TypstDocuments().pdf(template, {})
