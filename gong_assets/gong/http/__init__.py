"""How one request is sent: rate limit, daily budget, retries, and errors."""

# A server on this machine is reached directly, not through a proxy that the environment names.
DIRECT_HOSTS = ("all://127.0.0.1", "all://localhost", "all://[::1]")
