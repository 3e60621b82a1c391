"""Alerts: messages about what fails in this code location, and about what has recovered.

`sensor.py` evaluates them once a minute. `runs.py` finds failed runs, `subjects.py` the assets and checks
that failed or succeeded in a run, and `conditions.py` failed checks, overdue assets, failed ticks and failed
backfills. `ledger.py` remembers what was sent, `messages.py` words it, and `channels.py` delivers it.
"""
