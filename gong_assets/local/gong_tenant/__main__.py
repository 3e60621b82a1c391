"""`python -m gong_assets.local.gong_tenant`: runs the simulated tenant until it is terminated."""

from __future__ import annotations

import argparse
import ipaddress
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import uvicorn

from gong_assets.local.gong_tenant.app import TenantOptions, create_app
from gong_assets.local.gong_tenant.company import TIME_ZONE


def main(arguments: Sequence[str] | None = None) -> None:
    parser = _parser()
    given = parser.parse_args(arguments)
    if not ipaddress.ip_address(given.host).is_loopback:
        parser.error(
            f"--host {given.host}: the simulated tenant listens on this machine only, e.g. 127.0.0.1"
        )
    options = TenantOptions(
        seed=given.seed,
        calls_per_day=given.calls_per_day,
        words_per_call=given.words_per_call,
        now=_end_of(given.today) if given.today else None,
        access_key=given.access_key,
        access_key_secret=given.access_key_secret,
        requests_per_second=given.requests_per_second,
        requests_per_day=given.requests_per_day,
        missing_scopes=frozenset(given.missing_scope),
        blind=given.blind,
    )
    uvicorn.run(create_app(options), host=given.host, port=given.port, access_log=False)


def _parser() -> argparse.ArgumentParser:
    defaults = TenantOptions()
    parser = argparse.ArgumentParser(
        prog="python -m gong_assets.local.gong_tenant",
        description="A simulated Gong tenant: Gong's public API v2 over invented sales calls.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on; this machine only")
    add("--port", type=int, required=True)
    add("--seed", type=int, default=defaults.seed, help="another seed is another history")
    add(
        "--calls-per-day",
        type=_positive,
        default=defaults.calls_per_day,
        help="on a weekday; a sixth on a weekend day",
    )
    add(
        "--words-per-call",
        type=_positive,
        default=defaults.words_per_call,
        help="on average; topics are used up at about 1,000",
    )
    add(
        "--today",
        type=date.fromisoformat,
        metavar="DATE",
        help="stop the clock at the end of that day in Los Angeles",
    )
    add("--access-key", default=defaults.access_key)
    add("--access-key-secret", default=defaults.access_key_secret)
    add("--requests-per-second", type=float, default=defaults.requests_per_second, help="0 for no limit")
    add("--requests-per-day", type=int, default=defaults.requests_per_day, help="0 for no limit")
    add(
        "--missing-scope",
        action="append",
        default=[],
        metavar="SCOPE",
        help="a scope that the key lacks; repeatable",
    )
    add("--blind", action="store_true", help="the key's user may view no call")
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
