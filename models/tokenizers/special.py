"""Tokens that every vocabulary begins with."""

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[START]", "[END]")
PAD_TOKEN_ID, UNKNOWN_TOKEN_ID, START_TOKEN_ID, END_TOKEN_ID = range(len(SPECIAL_TOKENS))
