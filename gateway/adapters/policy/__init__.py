"""Policy: files to values with every problem at once, the store of what is active, the compiler."""
