"""The local stack: a Snowflake-speaking server and a simulated Gong tenant, found, started and stopped together.

    stack = up(Path(".gong_assets"))
    stack.snowflake.port, stack.gong.base_url

All that a stack keeps is under its home directory: `warehouse/`, `logs/`, `stack.json` (what is running) and a lock.
Two homes are two stacks that do not know of each other. The servers listen on 127.0.0.1 and are simulated: no account
is behind them, and their credentials are not secrets.

The tenant is configured by environment variables, read when it is started:

    GONG_ASSETS_LOCAL_SEED             which of the possible tenants it is (1)
    GONG_ASSETS_LOCAL_CALLS_PER_DAY    calls on a weekday (12)
    GONG_ASSETS_LOCAL_WORDS_PER_CALL   words on a call, on average (300)

So is the warehouse:

    GONG_ASSETS_LOCAL_CORTEX_REFUSES   a regular expression: texts that match fail, as one fails that Cortex refuses (none)

How processes are started and stopped is in `processes`; what the servers do is theirs.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from gong_assets.local import processes
from gong_assets.local.processes import HOST, Server

SERVICES = frozenset({"snowflake", "gong"})

LOCK_SECONDS = 300  # longer than another `up` can take to start both servers

TENANT_VARIABLES = {
    "GONG_ASSETS_LOCAL_SEED": "--seed",
    "GONG_ASSETS_LOCAL_CALLS_PER_DAY": "--calls-per-day",
    "GONG_ASSETS_LOCAL_WORDS_PER_CALL": "--words-per-call",
}


@dataclass(frozen=True)
class SnowflakeEndpoint:
    """How to connect: the Snowflake connector's arguments of the same names."""

    host: str
    port: int
    protocol: str
    account: str
    user: str
    password: str
    database: str
    schema: str


@dataclass(frozen=True)
class GongEndpoint:
    base_url: str
    access_key: str
    access_key_secret: str


@dataclass(frozen=True)
class LocalStack:
    """A running stack."""

    home: Path
    snowflake: SnowflakeEndpoint
    gong: GongEndpoint
    pids: Mapping[str, int]  # of each service


class LocalStackError(Exception):
    """The stack cannot be started: one line that says what is wrong and what to do."""


def up(home: Path, *, database: str = "SOPHIA_AI", schema: str = "GONG_DATA") -> LocalStack:
    """The running stack of `home`, started as far as it is not. Safe to call from many threads and processes.

    `database` and `schema` are only named in the endpoint: making them is the client's. Starting the warehouse also
    brings its HubSpot share up to date. Raises LocalStackError.
    """
    home = home.resolve()
    if stack := status(home, database=database, schema=schema):
        return stack
    with _locked(home):
        _start_what_is_missing(home)
        if stack := status(home, database=database, schema=schema):
            return stack
    raise LocalStackError(
        f"the local stack of {home} stopped while it was being started: see {home / 'logs'}"
    )


def down(home: Path) -> bool:
    """Stops the stack of `home` and waits until it is gone. Whether anything was running."""
    home = home.resolve()
    if not home.exists():
        return False
    with _locked(home):
        running = [process for server in _read_state(home).values() if (process := server.process())]
        strays = [process for process in processes.marked(home) if process not in running]
        processes.stop([*running, *strays])
        _state_file(home).unlink(missing_ok=True)
    return bool(running or strays)


def status(home: Path, *, database: str = "SOPHIA_AI", schema: str = "GONG_DATA") -> LocalStack | None:
    """The stack of `home` if all of it is running and well, None otherwise. Starts nothing and waits for no lock."""
    home = home.resolve()
    servers = _read_state(home)
    if servers.keys() != SERVICES or not all(server.is_healthy() for server in servers.values()):
        return None
    return LocalStack(
        home=home,
        snowflake=_snowflake_endpoint(servers["snowflake"].port, database, schema),
        gong=GongEndpoint(f"http://{HOST}:{servers['gong'].port}", "local", "local"),
        pids={service: server.pid for service, server in servers.items()},
    )


def _start_what_is_missing(home: Path) -> None:
    """Keeps the servers that are well, replaces the others, and remembers them once all are ready.

    Whatever else carries the mark of this home was left by a supervisor that was killed half-way, or by a lost state
    file, and is stopped first: it holds the warehouse's files.
    """
    remembered = _read_state(home)
    well = {service: server for service, server in remembered.items() if server.is_healthy()}
    kept = {server.pid for server in well.values()}
    processes.stop([process for process in processes.marked(home) if process.pid not in kept])
    started: dict[str, Server] = {}
    try:
        for service in SERVICES - well.keys():
            earlier = remembered.get(service)
            port = processes.usable_port(service, home, earlier.port if earlier else None)
            started[service] = processes.start(service, _command(service, home, port), home=home, port=port)
        for server in started.values():
            processes.wait_until_healthy(server, home=home)
        if "snowflake" in started:
            _load_hubspot_share(started["snowflake"].port)
    except BaseException as error:
        processes.stop([process for server in started.values() if (process := server.process())])
        if isinstance(error, processes.ServerError):
            raise LocalStackError(str(error)) from error
        raise
    _write_state(home, well | started)


def _command(service: str, home: Path, port: int) -> list[str]:
    arguments = {
        "snowflake": ["gong_assets.local.snowflake", "--data", str(home / "warehouse")],
        "gong": ["gong_assets.local.gong_tenant", *_tenant_options()],
    }[service]
    return [sys.executable, "-m", *arguments, "--port", str(port)]


def _tenant_options() -> list[str]:
    options = []
    for variable, option in TENANT_VARIABLES.items():
        if value := os.environ.get(variable):
            if not value.isdecimal():
                raise LocalStackError(f"{variable} is {value!r}: set it to a whole number, or unset it")
            options += [option, value]
    return options


def _load_hubspot_share(warehouse_port: int) -> None:
    """Fills HUBSPOT_SHARE with the CRM records of the tenant's company, as of today."""
    # Imported here because the connector takes a second, which finding a running stack should not cost.
    import snowflake.connector

    from gong_assets.local.gong_tenant import hubspot
    from gong_assets.local.gong_tenant.company import DEFAULT_SEED, Company, today

    seed = int(os.environ.get("GONG_ASSETS_LOCAL_SEED") or DEFAULT_SEED)
    endpoint = _snowflake_endpoint(warehouse_port, hubspot.DATABASE, hubspot.SCHEMA)
    try:
        with snowflake.connector.connect(
            **asdict(endpoint), login_timeout=30, network_timeout=60, platform_detection_timeout_seconds=0.0
        ) as connection:
            hubspot.load(connection, Company(seed), today())
    except snowflake.connector.Error as error:
        raise LocalStackError(
            f"the HubSpot share could not be loaded into the local warehouse: {error}"
        ) from error


def _snowflake_endpoint(port: int, database: str, schema: str) -> SnowflakeEndpoint:
    return SnowflakeEndpoint(HOST, port, "http", "local", "local", "local", database, schema)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    # Imported here because it takes longer than finding a running stack, which needs no lock.
    from filelock import FileLock, Timeout

    lock = FileLock(home / "stack.lock", timeout=LOCK_SECONDS)
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise LocalStackError(
            f"another process has been busy with the local stack of {home} for too long"
        ) from error
    except OSError as error:
        raise LocalStackError(f"the local stack cannot be kept in {home}: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


def _state_file(home: Path) -> Path:
    return home / "stack.json"


def _read_state(home: Path) -> dict[str, Server]:
    """The remembered servers by service; none if there is no state or it makes no sense."""
    try:
        state = json.loads(_state_file(home).read_text("utf-8"))
        return {
            service: Server(service, int(entry["pid"]), float(entry["created"]), int(entry["port"]))
            for service, entry in state.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _write_state(home: Path, servers: Mapping[str, Server]) -> None:
    """Replaces the state in one step. The temporary file is made readable for its owner alone."""
    state = {
        service: {"pid": server.pid, "created": server.created, "port": server.port}
        for service, server in servers.items()
    }
    handle, name = tempfile.mkstemp(dir=home, prefix="stack.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(state, file, indent=2)
    os.replace(name, _state_file(home))
