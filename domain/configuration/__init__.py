"""配置中心 · Configuration: parameters, purposes, calendar, agreements, products, company accounts."""
