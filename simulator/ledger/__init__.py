"""What each side wrote down, and whether the two accounts agree: append-only ledgers and their balance."""
