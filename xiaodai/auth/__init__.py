"""Who is asking: passwords, tokens, sessions, operators of the platform."""
