"""循环贷款业务 · Revolving loans (F11): a credit facility, asked for once and drawn on again and again.

`tables` says what is kept; `request` asks for a facility, a new limit or the end of a freeze, and others decide; `drawdown`
draws; `limit` counts what is free; `freezing`, `review` and `closing` look after it; `queries` reads.
"""
