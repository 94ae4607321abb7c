"""What a released record becomes: projection, pseudonyms, guards on its values, counts that betray nobody."""
