"""Facts about persons: batches, staging and imports enter them, the store keeps them, the look shows them."""
