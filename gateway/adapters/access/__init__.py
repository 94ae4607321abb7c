"""Who may come in: persons with roles and sessions, what waits for a second one, the credentials of callers."""
