"""What the demo asks of the API: every document in one place, as a front end would keep them."""

SIGN_IN = "signIn"


def _mutation(name: str, input_type: str, selection: str) -> tuple[str, str]:
    document = (
        f"mutation {name}($input: {input_type}!) {{ {name}(input: $input) "
        f"{{ {selection} userErrors {{ code field message params }} }} }}"
    )
    return name, document


_APPLICATION = "application { id number state workflow { state openTasks { id title } } }"
_COST = "cost { aprNominal xirrAct365 cap warnAbove exceedsWarning }"
_CONTRACT = f"contract {{ id number state amountInWords {_COST} documents {{ name }} disbursements {{ id state }} }}"
_DISBURSEMENT = "disbursement { id number state }"
_RECEIPT = "receipt { id number state amount unapplied allocation { installmentSeq component amount } }"
_TERMS = "{ annualRate maturityDate totalInterest }"
_AMENDMENT = f"amendment {{ id number before {_TERMS} after {_TERMS} workflow {{ openTasks {{ id }} }} }}"
_REFUND = "refund { id number state amount workflow { openTasks { id } } }"
_FACILITY = "facility { id number state available workflow { openTasks { id } } }"
_FUND = "fund { id number state }"
_FEE = "fee { id number state }"
_WRITE_OFF = "writeOff { id number state principal workflow { openTasks { id } } }"
_WAIVER = "waiver { id number state amount workflow { openTasks { id } } }"

MUTATIONS = dict(
    [
        _mutation(SIGN_IN, "SignInInput", "token"),
        _mutation("provisionTenant", "ProvisionTenantInput", "tenant { id code businessDate }"),
        _mutation("createDepartment", "CreateDepartmentInput", "department { id }"),
        _mutation("createEmployee", "CreateEmployeeInput", "employee { id }"),
        _mutation("proposeParameter", "ProposeParameterInput", "parameter { id }"),
        _mutation("approveParameter", "ApproveParameterInput", "parameter { state }"),
        _mutation("createLoanProduct", "CreateLoanProductInput", "product { id }"),
        _mutation("createCompanyAccount", "CreateCompanyAccountInput", "account { id }"),
        _mutation("createIndividualCustomer", "CreateIndividualCustomerInput", "customer { id number }"),
        _mutation("createEnterpriseCustomer", "CreateEnterpriseCustomerInput", "customer { id number }"),
        _mutation("createCustomerAccount", "CreateCustomerAccountInput", "account { id }"),
        _mutation("createLoanApplication", "CreateLoanApplicationInput", "application { id number state }"),
        _mutation("submitLoanApplication", "LoanApplicationActionInput", _APPLICATION),
        _mutation("withdrawLoanApplication", "LoanApplicationActionInput", _APPLICATION),
        _mutation("assignLoanApplication", "AssignLoanApplicationInput", _APPLICATION),
        _mutation("acceptLoanApplication", "LoanApplicationActionInput", _APPLICATION),
        _mutation("submitSurveyReport", "SubmitSurveyReportInput", _APPLICATION),
        _mutation("decideTask", "DecideTaskInput", "workflow { state openTasks { id title } }"),
        _mutation("prepareContract", "PrepareContractInput", _CONTRACT),
        _mutation("acknowledgeCostSheet", "LoanContractActionInput", "contract { id }"),
        _mutation("signContract", "SignContractInput", "contract { id state }"),
        _mutation("reviewDisbursement", "DisbursementActionInput", _DISBURSEMENT),
        _mutation("payDisbursement", "PayDisbursementInput", _DISBURSEMENT),
        _mutation("enterReceipt", "EnterReceiptInput", _RECEIPT),
        _mutation("registerReceipt", "ReceiptActionInput", _RECEIPT),
        _mutation("requestInterestWaiver", "RequestInterestWaiverInput", _WAIVER),
        _mutation("addRelatedParty", "AddRelatedPartyInput", "relatedParty { id }"),
        _mutation("requestAmendment", "RequestAmendmentInput", _AMENDMENT),
        _mutation("requestRefund", "RequestRefundInput", _REFUND),
        _mutation("payRefund", "PayRefundInput", _REFUND),
        _mutation("applyCreditFacility", "ApplyCreditFacilityInput", _FACILITY),
        _mutation("drawDown", "DrawDownInput", _APPLICATION),
        _mutation("createEntrustedContract", "CreateEntrustedContractInput", "contract { id number }"),
        _mutation("recordEntrustedFund", "RecordEntrustedFundInput", _FUND),
        _mutation("returnEntrustedFund", "ReturnEntrustedFundInput", _FUND),
        _mutation("confirmEntrustedFund", "ConfirmEntrustedFundInput", _FUND),
        _mutation("settleEntrustedFee", "SettleEntrustedFeeInput", _FEE),
        _mutation("confirmEntrustedFee", "ConfirmEntrustedFeeInput", _FEE),
        _mutation("requestWriteOff", "RequestWriteOffInput", _WRITE_OFF),
        _mutation(
            "runEndOfDay",
            "RunEndOfDayInput",
            "businessDate days { date state becameOverdue alertsRaised ledgerBalanced }",
        ),
    ]
)

ONE_CUSTOMER = "{ customers(first: 1) { nodes { id } } }"
TENANTS = "{ tenants(first: 100) { nodes { code } } }"
VIEWER = "{ viewer { businessDate } }"
ROLES = "{ roles { id code } }"
FOUND_AGAIN = """
{ viewer { businessDate } employees(first: 100) { nodes { id name } } loanProducts(first: 100) { nodes { id code } } }"""
DISBURSEMENT = """
query ($id: ID!) { node(id: $id) { ... on Disbursement {
  state loan { id number installments { seq dueDate } }
} } }"""
INSTALLMENTS = """
query ($id: ID!) { loan(id: $id) {
  state installments { seq dueDate state unpaidPrincipal unpaidInterest penalty compound fee }
} }"""
POSITION = """
query ($id: ID!, $on: Date) { loan(id: $id) { number state position(on: $on) {
  on principalOutstanding daysPastDue fiveClass accrual penalty compound dueUnpaidInterest onBalanceInterest
  offBalanceInterest provision
} } }"""
EXPLANATION = """
query ($id: ID!) { loan(id: $id) { position { penalty explain(figure: PENALTY) { amount formula } } } }"""
PAYOFF_QUOTE = """
query ($id: ID!, $on: Date!) { loan(id: $id) { payoffQuote(on: $on) { principal interest fee total toPay } } }"""
REFUND = "query ($id: ID!) { node(id: $id) { ... on Refund { state } } }"
FACILITY = "query ($id: ID!) { creditFacility(id: $id) { available } }"
WAIVER = "query ($id: ID!) { node(id: $id) { ... on InterestWaiver { state } } }"
ENTRUSTED_FEES = """
query ($filter: EntrustedFeeFilter) { entrustedFees(filter: $filter) { nodes { id number amount } } }"""
ENTRUSTED_CONTRACT = """
query ($id: ID!) { entrustedContract(id: $id) {
  fundBalance outstanding interestSplits { valueDate interest handlingFee toEntrustor }
} }"""
REPAYMENT_PLAN = """
query ($input: RepaymentPlanInput!) { repaymentPlan(input: $input) {
  totalInterest installmentAmount cost { aprNominal aprEffective cap warnAbove exceedsWarning }
} }"""
STATISTICS = """
{ statistics { on loanCount customerCount outstanding overduePrincipal overdueRatio par90 nplRatio pendingTaskCount } }"""
TRIAL_BALANCE = "{ trialBalance { account name debit credit } }"
APPLICATION = "query ($id: ID!) { node(id: $id) { ... on LoanApplication { state } } }"

ALERT_RAISED = "subscription { alertRaised { alert { state level message businessDate } } }"
TASK_CHANGED = """subscription ($after: Cursor) { pendingTaskChanged(after: $after) {
  cursor change pendingCount task { title } } }"""
