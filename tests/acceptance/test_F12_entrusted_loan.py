"""委托贷款 · Nothing is paid out before the entrustor's money is there, and the loan is no balance of the lender's (F12)."""

from __future__ import annotations

import io
from typing import Any

from pypdf import PdfReader

from domain.configuration.document import Document
from domain.finance import provision
from tests.acceptance.entrusting import PRODUCT, entrusted, ledger
from tests.acceptance.journey import Journey
from tests.support.books import differences, set_parameter


async def test_paid_out_only_after_the_money_came_and_never_a_cent_more(journey: Journey) -> None:
    work = await entrusted(journey)
    await work.to_be_paid("1000000.00")
    payment = await work.payment("1000000.00")
    answer = "disbursement { id }"
    # There is no money at all: the bank account is the first to say so; with money of the lender's it would be the fund.
    refused = await journey.refused("cashier", "payDisbursement", answer, **payment)
    assert refused[0]["code"] in ("INSUFFICIENT_ACCOUNT_BALANCE", "ENTRUSTED_FUND_INSUFFICIENT")
    other = await journey.company_account("5000000.00", ("ENTRUSTED",))
    refused = await journey.refused("cashier", "payDisbursement", answer, **(payment | {"companyAccountId": other}))
    assert (refused[0]["code"], refused[0]["params"]) == (
        "ENTRUSTED_FUND_INSUFFICIENT", {"available": "0.00", "amount": "1000000.00"},
    )  # fmt: skip
    entered = await work.came_in("1000000.00", confirmed=False)
    refused = await journey.refused("cashier", "payDisbursement", answer, **(payment | {"companyAccountId": other}))
    assert refused[0]["code"] == "ENTRUSTED_FUND_INSUFFICIENT", "nobody has confirmed it yet"
    await work.confirm(entered)
    await journey.act("cashier", "payDisbursement", "disbursement { state }", **payment)
    await journey.work()
    assert await work.movements() == [
        ("RECEIVED", "1000000.00", "1000000.00"), ("LENT", "-1000000.00", "0.00"),
    ]  # fmt: skip


async def test_a_cent_more_than_what_came_in_is_refused(journey: Journey) -> None:
    work = await entrusted(journey)
    await work.came_in("1000000.00")
    await work.to_be_paid("1000000.01")
    other = await journey.company_account("5000000.00", ("ENTRUSTED",))
    payment = await work.payment("1000000.01") | {"companyAccountId": other}
    refused = await journey.refused("cashier", "payDisbursement", "disbursement { id }", **payment)
    assert (refused[0]["code"], refused[0]["params"]) == (
        "ENTRUSTED_FUND_INSUFFICIENT", {"available": "1000000.00", "amount": "1000000.01"},
    )  # fmt: skip
    assert await work.movements() == [("RECEIVED", "1000000.00", "1000000.00")]


async def test_it_is_in_no_own_balance_no_npl_and_no_provision(journey: Journey) -> None:
    work = await entrusted(journey)
    await work.came_in("1000000.00")
    loan = await work.lent("1000000.00")
    # 101 days after its first due date nothing was paid: substandard and non-accrual, had it been the lender's own.
    days = (await journey.close("2026-05-31"))["days"]
    assert all(day["ledgerBalanced"] for day in days)
    position = await journey.position(loan)
    assert (position["principalOutstanding"], position["fiveClass"]) == ("1000000.00", "SUBSTANDARD")
    assert position["provision"] == "0.00"
    assert await ledger(journey) == {"1321": "1000000.00", "2314": "-1000000.00"}
    async with journey.lender.accountant.reading() as ctx:
        (run,) = [one for one in [await provision.preview(ctx, ctx.today)] if one]
    assert (run.portfolio.principal, run.change, run.portfolio.npl_ratio) == (0, 0, None)
    assert await differences(journey.lender) == []
    data = await journey.by("accountant").data(
        "{ entrustedLoans { nodes { id entrustedContract { id } } } entrustors { contracts amount lent balance customer { name } } }"
    )
    assert data["entrustedLoans"]["nodes"] == [{"id": loan, "entrustedContract": {"id": work.id}}]
    assert data["entrustors"] == [
        {
            "contracts": 1,
            "amount": "2000000.00",
            "lent": "1000000.00",
            "balance": "0.00",
            "customer": {"name": "赵启明"},
        }
    ]


async def printed_text(journey: Journey, paper: Any) -> str:
    """What a stored paper says, without blanks."""
    lender = journey.lender
    content = b"".join([piece async for piece in lender.ports.storage.read(lender.lender, paper.sha256)])
    return "".join("".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


async def test_the_papers_name_whose_money_it_is(journey: Journey) -> None:
    """The agreement of the three comes first; a loan of the lender's own has no such paper."""
    work = await entrusted(journey)
    terms = {"amount": "1000000.00", "annualRate": "0.10", "method": "INTEREST_ONLY", "entrustedContractId": work.id}
    contract = await journey.prepared(await journey.approved(work.borrower, product=PRODUCT, **terms))
    names = [paper["name"].split()[0] for paper in contract["documents"]]
    assert sorted(names) == sorted(["委托贷款合同", "借款合同", "借据", "综合融资成本明示表", "还款计划表"])
    papers = {document.name.split()[0]: document for document in await journey.lender.rows(Document)}
    cases = {
        "委托贷款合同": ["赵启明", "王芳", "3,000.00元", "由甲方自行承担"],
        "借款合同": ["委托人赵启明", "仅作为受托人"],
    }
    for name, said in cases.items():
        text = await printed_text(journey, papers[name])
        assert [words for words in said if words not in text] == [], name
    own = await journey.prepared(await journey.approved(await journey.customer("李强")))
    assert "委托贷款合同" not in [paper["name"].split()[0] for paper in own["documents"]]


async def test_another_lender_words_the_agreement_differently(journey: Journey) -> None:
    """Its own text, its own fees: nothing once, 5 % of the interest."""
    body = (
        "#data.entrusted.entrustor / #data.lender.name: #data.entrusted.one_off_fee, #data.entrusted.interest_fee_rate"
    )
    made = await journey.act(
        "tenant_admin", "publishTemplate", "template { version }", code="ENTRUSTED_LOAN_AGREEMENT", body=body
    )
    assert made["version"] == 2
    work = await entrusted(journey, oneOffFeeRate="0", interestFeeRate="0.05")
    terms = {"amount": "1000000.00", "annualRate": "0.10", "method": "INTEREST_ONLY", "entrustedContractId": work.id}
    await journey.prepared(await journey.approved(work.borrower, product=PRODUCT, **terms))
    (paper,) = [row for row in await journey.lender.rows(Document) if row.name.startswith("委托贷款合同")]
    async with journey.lender.system.reading() as ctx:
        name = ctx.lender.name
    assert await printed_text(journey, paper) == "".join(f"赵启明/{name}:0.00,5%".split())


async def test_more_than_the_lender_may_lend_of_its_own_is_no_matter(journey: Journey) -> None:
    """10 % of the net assets of 200 millions are 20 millions: entrusted money counts for nothing of it, in either way."""
    work = await entrusted(journey, amount="30000000.00")
    application = await journey.submitted(
        work.borrower, product=PRODUCT, amount="25000000.00", annualRate="0.10", method="INTEREST_ONLY",
        entrustedContractId=work.id,
    )  # fmt: skip
    own = await journey.submitted(work.borrower, amount="20000000.00")
    assert application != own


async def test_the_entrustors_instruction_is_kept(journey: Journey) -> None:
    work = await entrusted(journey)
    terms = {"amount": "1000000.00", "annualRate": "0.10", "method": "INTEREST_ONLY", "entrustedContractId": work.id}
    for changed, rule in (({"annualRate": "0.11"}, "annualRate"), ({"amount": "2000000.01"}, "amount")):
        draft = await journey.drafted(work.borrower, product=PRODUCT, **(terms | changed))
        refused = await journey.refused(
            "account_manager", "submitLoanApplication", "application { id }", applicationId=draft
        )
        assert (refused[0]["code"], refused[0]["params"]["rule"]) == ("PRODUCT_RULE_VIOLATED", rule)
    product = await journey.product(**PRODUCT)
    asked = terms | {
        "customerId": await journey.customer("李强"), "productId": product, "periods": 12, "purposeCode": "WORKING_CAPITAL",
        "purpose": "进货", "lendingMode": "CREDIT",
    }  # fmt: skip
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "customerId"),
        ({"entrustedContractId": None}, "entrustedContractId"),
    ]
    for changed, field in cases:
        refused = await journey.refused(
            "account_manager", "createLoanApplication", "application { id }", **(asked | changed)
        )
        assert (refused[0]["code"], refused[0]["field"]) == ("INVALID_INPUT", ["input", field])


async def test_a_licence_without_entrusted_business_refuses_it(journey: Journey) -> None:
    work = await entrusted(journey)
    terms = {"amount": "1000000.00", "annualRate": "0.10", "method": "INTEREST_ONLY", "entrustedContractId": work.id}
    draft = await journey.drafted(work.borrower, product=PRODUCT, **terms)
    await set_parameter(journey.lender, "entrusted_loans", False)
    refused = await journey.refused(
        "account_manager", "submitLoanApplication", "application { id }", applicationId=draft
    )
    assert (refused[0]["code"], refused[0]["params"]["rule"]) == ("PRODUCT_RULE_VIOLATED", "entrusted_loans")
    refused = await journey.refused(
        "account_manager", "createEntrustedContract", "contract { id }",
        entrustorId=work.entrustor, borrowerId=work.borrower, amount="1.00", annualRate="0.10", oneOffFeeRate="0",
        interestFeeRate="0", instructionLetter="2", sourceProof="本人", purpose="进货", signedOn=await work.today(),
    )  # fmt: skip
    assert (refused[0]["code"], refused[0]["params"]["rule"]) == ("PRODUCT_RULE_VIOLATED", "entrusted_loans")
