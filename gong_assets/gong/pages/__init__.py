"""How many requests make one list: pagination, sub-windows, concurrency."""

# Gong's page size; no parameter changes it.
PAGE_SIZE = 100
