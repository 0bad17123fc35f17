"""What the business decides: tables, states, rules, commands, queries. Knows nothing of GraphQL or HTTP."""
