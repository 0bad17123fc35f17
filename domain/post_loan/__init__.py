"""贷后管理 · After the pay-out: customer accounts, early warnings."""
