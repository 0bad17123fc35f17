"""委托贷款业务 · Entrusted loans (F12): lent for somebody else, with their money and at their risk; the lender is an agent.

`tables` says what is kept; `contract` makes the entrusted contract; `guarding` is what it says to an application and to a
pay-out; `queries` reads; `proving` proves that the money is all there. What is left of a fund is in `domain/lending/loan/fund`.
"""
