"""Exports: the journal of a job, its file of released rows, and where the result goes."""
