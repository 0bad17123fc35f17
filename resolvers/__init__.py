"""How the API answers: each file answers for the file of the same name in `schema/`."""
