"""业务中心 · Lending: from the application through guards, survey and approval to the signed contract."""
