"""客户管理 · Customers: individuals, enterprises, consents, related parties, blacklist."""
