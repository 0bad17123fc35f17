"""组织 · Departments, roles, employees, and how they prove who they are."""
