"""功能目录 · The 55 functions by name, once. It feeds the menu, the role editor, docs/functions.md and the test of addresses.

The name is the file stem in every layer (docs/tour.md); `built` is derived from whether that file exists.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Function:
    """One business function: its code, module, name in code, Chinese and English name."""

    code: str
    module: str
    name: str
    chinese: str
    english: str


MODULES = {
    "home": "系统首页",
    "organization": "组织架构",
    "customers": "客户管理",
    "lending": "业务中心",
    "finance": "财务中心",
    "collateral": "担保抵押",
    "post_loan": "贷后管理",
    "payments": "收付款",
    "archives": "档案管理",
    "configuration": "配置中心",
}

FUNCTIONS = (
    Function("F01", "home", "pending_task", "待办事项", "To-do"),
    Function("F02", "home", "statistics", "数据统计", "Statistics"),
    Function("F03", "home", "message", "消息提醒", "Messages"),
    Function("F04", "organization", "department", "部门管理", "Departments"),
    Function("F05", "organization", "role", "角色管理", "Roles"),
    Function("F06", "organization", "employee", "员工管理", "Employees"),
    Function("F07", "customers", "enterprise_customer", "企业客户", "Enterprise customers"),
    Function("F08", "customers", "individual_customer", "个人客户", "Individual customers"),
    Function("F09", "lending", "assignment", "贷款分单", "Assignment"),
    Function("F10", "lending", "normal_loan", "普通贷款业务", "Normal loans"),
    Function("F11", "lending", "revolving_loan", "循环贷款业务", "Revolving loans"),
    Function("F12", "lending", "entrusted_loan", "委托贷款业务", "Entrusted loans"),
    Function("F13", "lending", "loan_overview", "所有贷款查看", "All loans"),
    Function("F14", "lending", "interest_waiver", "利息减免", "Interest waiver"),
    Function("F15", "finance", "disbursement", "出纳放款", "Disbursement"),
    Function("F16", "finance", "entrusted_fund", "委托资金录入", "Entrusted funds"),
    Function("F17", "finance", "entrusted_fee", "委托录入手续费", "Entrusted fees"),
    Function("F18", "finance", "refund", "出纳退款", "Refunds"),
    Function("F19", "finance", "repayment_entry", "还款录入", "Repayment entry"),
    Function("F20", "finance", "repayment_registration", "还款登记", "Repayment registration"),
    Function("F21", "finance", "report", "统计报表", "Reports"),
    Function("F22", "collateral", "individual_guarantee", "个人担保查询", "Individual guarantees"),
    Function("F23", "collateral", "enterprise_guarantee", "企业担保查询", "Enterprise guarantees"),
    Function("F24", "collateral", "mortgage", "抵押担保", "Mortgages"),
    Function("F25", "collateral", "pledge", "质押担保", "Pledges"),
    Function("F26", "collateral", "title_document", "权证出库", "Title documents"),
    Function("F27", "post_loan", "customer_account", "客户银行卡账户", "Customer accounts"),
    Function("F28", "post_loan", "contract_amendment", "合同变更", "Contract amendments"),
    Function("F29", "post_loan", "inspection", "贷后检查", "Inspections"),
    Function("F30", "post_loan", "inspection_review", "贷后检查审核", "Inspection review"),
    Function("F31", "post_loan", "early_warning", "贷后预警", "Early warning"),
    Function("F32", "post_loan", "classification", "五级分类", "Classification"),
    Function("F33", "post_loan", "classification_review", "五级分类审核", "Classification review"),
    Function("F34", "post_loan", "write_off", "核销管理", "Write-off"),
    Function("F35", "post_loan", "collection", "催收管理", "Collection"),
    Function("F36", "post_loan", "post_loan_overview", "贷后业务查询", "Post-loan overview"),
    Function("F37", "payments", "payment_subject", "标的管理", "Payment subjects"),
    Function("F38", "archives", "case_file", "客户档案归档", "Case files"),
    Function("F39", "configuration", "company_account", "公司银行卡配置", "Company accounts"),
    Function("F40", "configuration", "loan_product", "产品管理", "Loan products"),
    Function("F41", "configuration", "lead_level", "意向客户等级", "Lead levels"),
    Function("F42", "configuration", "lending_mode", "贷款方式", "Lending modes"),
    Function("F43", "configuration", "project_flow", "项目流程", "Project flows"),
    Function("F44", "configuration", "sms", "短信配置", "SMS"),
    Function("F45", "configuration", "mailing", "邮寄配置", "Mailing"),
    Function("F46", "configuration", "customer_grade", "客户等级配置", "Customer grades"),
    Function("F47", "configuration", "facility_flow", "授信流程配置", "Facility flows"),
    Function("F48", "configuration", "refund_flow", "退款流程配置", "Refund flows"),
    Function("F49", "configuration", "workflow_node", "审批流节点配置", "Workflow nodes"),
    Function("F50", "configuration", "parameter", "业务配置", "Parameters"),
    Function("F51", "configuration", "template", "模板管理", "Templates"),
    Function("F52", "configuration", "company_profile", "公司简介配置", "Company profile"),
    Function("F53", "configuration", "agreement", "注册协议配置", "Agreements"),
    Function("F54", "configuration", "faq", "常见问题设置", "FAQ"),
    Function("F55", "configuration", "banner", "轮播图配置", "Banners"),
)
