"""Checks of Gong: host, credentials, scopes, requests left today, and the first partition."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from gong_assets.cli.doctor.results import CheckResult
from gong_assets.dates import DateRange
from gong_assets.defs.first_partition import is_explicit, look_up_first_partition
from gong_assets.defs.resources import GongResource
from gong_assets.error_advice import EXPECTED_ERRORS, explain
from gong_assets.gong import (
    GongAuthenticationError,
    GongClient,
    GongPermissionError,
    Page,
    Window,
    blocking,
)
from gong_assets.ingestion.streams import PARTITIONED_STREAMS, SNAPSHOT_STREAMS
from gong_assets.settings import Settings
from gong_assets.warehouse.tables import TRANSCRIPTS, RawTable


def check_gong(settings: Settings) -> Iterator[CheckResult]:
    """Request one page of the last day's calls, and one of each other endpoint."""
    if not settings.can_read_gong:
        yield CheckResult(
            "warn",
            "gong",
            f"no Gong credentials are set: the audit cannot find what {settings.gong_source} lost or kept",
        )
        return
    resource = GongResource.from_settings(settings).process_config_and_initialize()
    if settings.gong_access_key_2:
        yield from _check_keys(resource, settings)
    try:
        calls, left = blocking.run(_calls_of_last_day(resource))
    except EXPECTED_ERRORS as error:
        yield CheckResult("fail", "gong", explain(error))
        return
    source = (
        "the simulated tenant" if settings.uses_simulated_gong else settings.gong_base_url or "api.gong.io"
    )
    hint = "" if calls else "; if there were calls, the key's user may not have access to them"
    yield CheckResult("ok", "gong", f"{source} responds, {calls} calls in the last 24 hours{hint}")
    yield from _check_scopes(resource)
    yield _check_limits(settings, left)
    if not settings.uses_simulated_gong:
        yield from _check_first_partition(settings)


def _check_keys(resource: GongResource, settings: Settings) -> Iterator[CheckResult]:
    """Say which of two access keys Gong accepts, for a rotation by hand."""
    secrets = (settings.gong_access_key_2, settings.gong_access_key_secret_2)
    key, secret = (each.get_secret_value() if each else "" for each in secrets)
    second = resource.model_copy(update={"access_key": key, "access_key_secret": secret})
    for name, each in {"GONG_ACCESS_KEY": resource, "GONG_ACCESS_KEY_2": second}.items():
        try:
            blocking.run(_calls_of_last_day(each))
        except GongAuthenticationError:
            yield CheckResult("warn", "gong keys", f"{name} is refused")
        except EXPECTED_ERRORS as error:
            yield CheckResult("warn", "gong keys", f"{name}: {explain(error)}")
        else:
            yield CheckResult("ok", "gong keys", f"{name} is accepted")


def _check_first_partition(settings: Settings) -> Iterator[CheckResult]:
    """Look up the first call, and compare it with the first partition."""
    try:
        first = look_up_first_partition(settings)
    except EXPECTED_ERRORS as error:
        yield CheckResult("fail", "first partition", explain(error))
        return
    if first is None:
        yield CheckResult("ok", "first partition", "Gong has no calls yet")
    elif not is_explicit(settings):
        yield CheckResult(
            "ok",
            "first partition",
            f"{first}, the first call; kept in the home. Containers that share no home need "
            f"GONG_START_DATE={first}.",
        )
    elif first < settings.gong_start_date:
        message = f"the first call is of {first}, before GONG_START_DATE={settings.gong_start_date}"
        yield CheckResult("warn", "first partition", f"{message}: earlier calls are not read")
    else:
        yield CheckResult("ok", "first partition", f"GONG_START_DATE={settings.gong_start_date}")


async def _calls_of_last_day(resource: GongResource) -> tuple[int, int | None]:
    """Return the number of calls, and the number of requests left today."""
    now = datetime.now(UTC)
    async with (
        resource.client() as client,
        aclosing(client.calls(Window(now - timedelta(days=1), now))) as pages,
    ):
        page = await anext(pages, None)
        return (page.total_records or 0) if page else 0, client.stats.requests_left_today


def _check_scopes(resource: GongResource) -> Iterator[CheckResult]:
    """Send one request to each of the other endpoints, to find the scopes that the key lacks."""
    day = DateRange.single(datetime.now(UTC).date() - timedelta(days=2))

    def requests(client: GongClient) -> Iterator[tuple[RawTable, AsyncGenerator[Page, None]]]:
        yield TRANSCRIPTS, client.transcripts(["0"])
        for partitioned in PARTITIONED_STREAMS:
            yield partitioned.table, partitioned.request(client, day)
        for snapshot in SNAPSHOT_STREAMS:
            yield snapshot.table, snapshot.request(client, None)

    async def problems() -> dict[str, str]:
        found = {}
        async with resource.client() as client:
            for table, pages in requests(client):
                try:
                    async with aclosing(pages):
                        await anext(pages, None)
                except GongPermissionError as error:
                    found[table.name] = f"{table.name} cannot be read: {explain(error)}"
                except EXPECTED_ERRORS as error:
                    found[table.name] = f"{table.name}: {explain(error)}"
        return found

    failed = blocking.run(problems())
    for message in failed.values():
        yield CheckResult("fail", "gong scopes", message)
    if not failed:
        yield CheckResult("ok", "gong scopes", "the key has access to every endpoint that the graph reads")


def _check_limits(settings: Settings, left: int | None) -> CheckResult:
    """Report the requests that are left by our own count: Gong does not report its quota."""
    rate = settings.gong_max_requests_per_second
    per_second = f"{rate:g} requests per second" if rate else "no limit per second"
    if left is None:
        return CheckResult("ok", "gong limits", f"{per_second}, no daily limit")
    message = (
        f"{per_second}; {left:,} of {settings.gong_max_requests_per_day:,} requests of today are left, as "
        "counted on this machine"
    )
    if left:
        return CheckResult("ok", "gong limits", message)
    return CheckResult(
        "warn", "gong limits", f"{message}. Runs stop until tomorrow (UTC), and a sensor resumes them."
    )
