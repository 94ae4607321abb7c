"""Inputs that nobody thought of, for each minimiser (`make fuzz`)."""
