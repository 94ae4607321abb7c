"""The gate: may this call be answered, may this person be in the answer, and why."""
