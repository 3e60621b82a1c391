"""How many requests make one list: pagination, sub-windows, concurrency."""
