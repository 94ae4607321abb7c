"""The register in the database, and what an entry does in its own transaction: acts, holds, permits."""
