"""What policy is and when it is in order: schemas, recipients, their terms, and the rules about them."""
