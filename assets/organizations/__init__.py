"""Who takes part: organisations, their users, and the tokens that programs sign in with."""
