"""``python -m gong_assets.local.gong_tenant --port N``: run the simulated tenant until it is stopped.

With ``--secret-from-stdin`` the first line of the standard input is the secret of the access key.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import uvicorn

from gong_assets.local.gong_tenant.app import TenantOptions, create_app
from gong_assets.local.gong_tenant.company import TIME_ZONE


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the server."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if not ipaddress.ip_address(args.host).is_loopback:
        parser.error(
            f"--host {args.host}: the simulated tenant must listen on a loopback address, such as 127.0.0.1"
        )
    os.umask(0o077)
    secret = sys.stdin.readline().strip() if args.secret_from_stdin else args.access_key_secret
    if not secret:
        parser.error("the first line of the standard input must be the secret of the access key")
    options = TenantOptions(
        seed=args.seed,
        calls_per_day=args.calls_per_day,
        words_per_call=args.words_per_call,
        now=_end_of(args.today) if args.today else None,
        access_key=args.access_key,
        access_key_secret=secret,
        requests_per_second=args.requests_per_second,
        requests_per_day=args.requests_per_day,
        missing_scopes=frozenset(args.missing_scope),
        blind=args.blind,
    )
    uvicorn.run(create_app(options), host=args.host, port=args.port, access_log=False)


def _parser() -> argparse.ArgumentParser:
    defaults = TenantOptions()
    parser = argparse.ArgumentParser(
        prog="python -m gong_assets.local.gong_tenant",
        description="A simulated Gong tenant: Gong's public API v2 with invented sales calls.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="loopback address to listen on")
    add("--port", type=int, required=True)
    add("--seed", type=int, default=defaults.seed, help="seed of the generated data")
    add(
        "--calls-per-day", type=_positive, default=defaults.calls_per_day,
        help="average on weekdays; a sixth on weekends",
    )  # fmt: skip
    add(
        "--words-per-call", type=_positive, default=defaults.words_per_call,
        help="average; the topics of a call have about 1,000 words",
    )  # fmt: skip
    add(
        "--today", type=date.fromisoformat, metavar="DATE",
        help="stop the clock at the end of this day in Los Angeles",
    )  # fmt: skip
    add("--access-key", default=defaults.access_key)
    add("--access-key-secret", default=defaults.access_key_secret)
    add("--secret-from-stdin", action="store_true", help="read the secret, which no process list then shows")
    add("--requests-per-second", type=float, default=defaults.requests_per_second, help="0 for no limit")
    add("--requests-per-day", type=int, default=defaults.requests_per_day, help="0 for no limit")
    add(
        "--missing-scope", action="append", default=[], metavar="SCOPE",
        help="scope that the key does not have; may be repeated",
    )  # fmt: skip
    add("--blind", action="store_true", help="the user of the key may view no calls")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), TIME_ZONE).astimezone(UTC)


if __name__ == "__main__":
    main()
