"""财务中心 · Finance: money that goes out and comes in, through four hands."""
