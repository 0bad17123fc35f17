"""银行 · The bank: what we need of it (port), the real HTTP client, and a simulator that behaves like the real thing."""
