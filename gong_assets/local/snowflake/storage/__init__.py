"""Database files, stages, transactions and locks, and the patches that fakesnow needs."""
