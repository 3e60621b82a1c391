"""Snowflake's HTTP API: log in, run a statement, poll for its result, log out.

A failed statement is a 200 response with ``success: false``, as on Snowflake; the connector would retry other
statuses for minutes. A slow statement gets an "in progress" response, after which the client polls for the
result.
"""

from __future__ import annotations

import asyncio
import uuid
import zlib
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import orjson
from fakesnow.converter import from_binding
from fakesnow.expr import normalise_ident
from fakesnow.transforms import SERVER_VERSION
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from gong_assets.local.snowflake.errors import SnowflakeError, to_snowflake_error
from gong_assets.local.snowflake.governance.sign_in import verify
from gong_assets.local.snowflake.governance.state import Governance
from gong_assets.local.snowflake.server.session import Login, Session, StatementRequest, StatementResponse
from gong_assets.local.snowflake.server.session_registry import ClientAddress, SessionRegistry

# The connector's read timeout is 60 seconds; Snowflake responds "in progress" after 45.
IN_PROGRESS_SECONDS = 45.0
# Responses that a session keeps for a client that retries a request after it lost its connection.
KEPT_RESPONSES = 2
# Of a request, compressed or not.
MAX_BODY_BYTES = 256 << 20

_IN_PROGRESS = "333333"
_IN_PROGRESS_ASYNC = "333334"
_SESSION_NOT_FOUND = SnowflakeError(
    390111, "08001", "Session no longer exists. New login required to access the service."
)


@dataclass(frozen=True)
class Query:
    """A submitted statement and its future response."""

    id: str
    request_id: str
    response: Future[bytes]


class HttpApi:
    """The request handlers of the API."""

    def __init__(self, sessions: SessionRegistry, governance: Governance, password: str) -> None:
        self._sessions = sessions
        self._governance = governance
        self._password = password
        self._queries: WeakKeyDictionary[Session, OrderedDict[str, Query]] = WeakKeyDictionary()

    def routes(self) -> list[Route]:
        """Return the routes of the API."""
        return [
            Route("/session/v1/login-request", self.log_in, methods=["POST"]),
            Route("/session", self.session, methods=["POST"]),
            Route("/session/heartbeat", self.session, methods=["POST"]),
            Route("/queries/v1/query-request", self.query, methods=["POST"]),
            Route("/queries/v1/abort-request", self.abort, methods=["POST"]),
            Route("/queries/{query_id}/result", self.result, methods=["GET"]),
            Route("/monitoring/queries/{query_id}", self.monitor, methods=["GET"]),
        ]

    async def log_in(self, http: HttpRequest) -> Response:
        data = (await _body(http))["data"]
        try:
            only_role = verify(self._governance, self._password, data)
        except SnowflakeError as error:
            return _failure(error)
        parameters = {name: _text(value) for name, value in (data.get("SESSION_PARAMETERS") or {}).items()}
        query = http.query_params
        login = Login(
            account=str(data.get("ACCOUNT_NAME") or "").upper(),
            user=str(data.get("LOGIN_NAME") or "").upper(),
            role=normalise_ident(query.get("roleName") or ""),
            only_role=only_role,
            warehouse=normalise_ident(query.get("warehouse") or ""),
            database=_identifier(query.get("databaseName")),
            schema=_identifier(query.get("schemaName")),
            parameters=parameters,
        )
        try:
            session = await self._sessions.open(login)
        except Exception as error:
            return _failure(to_snowflake_error(error))
        self._queries[session] = OrderedDict()
        self._sessions.get(session.token, _client_address(http))
        return _success(_login_data(session))

    async def session(self, http: HttpRequest) -> Response:
        """Keep the session alive, or log out with ``?delete=true``."""
        session = self._session(http)
        if session is None:
            return _failure(_SESSION_NOT_FOUND)
        if http.query_params.get("delete"):
            await self._sessions.close(session.token)
        return _success(None)

    async def query(self, http: HttpRequest) -> Response:
        session = self._session(http)
        if session is None:
            return _failure(_SESSION_NOT_FOUND)
        body = await _body(http)
        request_id = http.query_params.get("requestId") or str(uuid.uuid4())
        queries = self._queries[session]
        query = next((q for q in queries.values() if q.request_id == request_id), None)
        if query is None:
            query = self._submit(session, request_id, body)
        if body.get("asyncExec"):
            return _in_progress(query, _IN_PROGRESS_ASYNC)
        return await wait_for_response(query)

    async def result(self, http: HttpRequest) -> Response:
        query = self._find_query(http)
        return await wait_for_response(query) if query else _failure(_SESSION_NOT_FOUND)

    async def monitor(self, http: HttpRequest) -> Response:
        """Return the status of an asynchronous query."""
        query = self._find_query(http)
        if query is None:
            return _success({"queries": []})
        if not query.response.done():
            status = "RUNNING"
        else:
            status = "SUCCESS" if orjson.loads(query.response.result())["success"] else "FAILED_WITH_ERROR"
        return _success({"queries": [{"id": query.id, "status": status}]})

    async def abort(self, http: HttpRequest) -> Response:
        if session := self._session(http):
            session.cancel()
        return _success(None)

    def _session(self, http: HttpRequest) -> Session | None:
        token = http.headers.get("Authorization", "").removeprefix('Snowflake Token="').removesuffix('"')
        return self._sessions.get(token, _client_address(http))

    def _find_query(self, http: HttpRequest) -> Query | None:
        session = self._session(http)
        return self._queries[session].get(http.path_params["query_id"]) if session else None

    def _submit(self, session: Session, request_id: str, body: dict[str, Any]) -> Query:
        query_id = str(uuid.uuid4())

        def run() -> bytes:
            try:
                return _encode(session, query_id, session.execute(_statement_request(body), query_id))
            except Exception as error:
                return _failure_body(to_snowflake_error(error), query_id)

        query = Query(query_id, request_id, session.submit(run))
        queries = self._queries[session]
        queries[query_id] = query
        finished = [old.id for old in queries.values() if old.response.done()]
        for old_id in finished[:-KEPT_RESPONSES]:
            del queries[old_id]
        return query


def _login_data(session: Session) -> dict[str, Any]:
    connection = session.connection
    return {
        "token": session.token,
        # Sessions need no renewal, but the connector logs out only if it has a master token.
        "masterToken": session.token,
        "sessionId": session.id,
        "serverVersion": SERVER_VERSION,
        "parameters": [
            {"name": "AUTOCOMMIT", "value": connection.transaction.autocommit},
            {"name": "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY", "value": 3600},
            # 0: the client sends the values of a batch with the request instead of staging them.
            {"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0},
            {"name": "CLIENT_TELEMETRY_ENABLED", "value": False},
            *_session_parameters(session),
        ],
        "sessionInfo": {
            "databaseName": connection.database,
            "schemaName": connection.schema,
            "warehouseName": connection.duckdb_variable("current_warehouse") or None,
            "roleName": connection.duckdb_variable("current_role"),
        },
    }


def _statement_request(body: dict[str, Any]) -> StatementRequest:
    describe_only = bool(body.get("describeOnly"))
    bindings = body.get("bindings") or {}
    if not all(name.isdigit() for name in bindings):
        named = {name: _bound_value(binding["type"], binding["value"]) for name, binding in bindings.items()}
        return StatementRequest(body["sqlText"], named, describe_only=describe_only)
    columns = [bindings[str(position)] for position in range(1, len(bindings) + 1)]
    if any(isinstance(column["value"], list) for column in columns):
        values = [[_bound_value(column["type"], value) for value in column["value"]] for column in columns]
        batch = [list(row) for row in zip(*values, strict=True)]
        return StatementRequest(body["sqlText"], batch=batch, describe_only=describe_only)
    positional = [_bound_value(column["type"], column["value"]) for column in columns]
    return StatementRequest(body["sqlText"], positional or None, describe_only=describe_only)


def _bound_value(kind: str, value: str | None) -> Any:
    return None if value is None else from_binding({"type": kind, "value": value})


def _encode(session: Session, query_id: str, response: StatementResponse) -> bytes:
    if response.upload is not None:
        return orjson.dumps({"data": response.upload, "success": True})
    data = {
        "parameters": _session_parameters(session),
        "queryId": query_id,
        "statementTypeId": response.result.statement_type,
        "finalDatabaseName": session.connection.database,
        "finalSchemaName": session.connection.schema,
        "finalRoleName": session.connection.duckdb_variable("current_role"),
        "finalWarehouseName": session.connection.duckdb_variable("current_warehouse") or None,
        **response.result.encoded(),
    }
    return orjson.dumps({"data": data, "code": None, "message": None, "success": True})


def _session_parameters(session: Session) -> list[dict[str, Any]]:
    return [{"name": "TIMEZONE", "value": session.connection.parameters.get("TIMEZONE", "Etc/UTC")}]


async def wait_for_response(query: Query) -> Response:
    """Return the response of a query, or "in progress" after IN_PROGRESS_SECONDS."""
    await asyncio.wait([asyncio.wrap_future(query.response)], timeout=IN_PROGRESS_SECONDS)
    if not query.response.done():
        return _in_progress(query, _IN_PROGRESS)
    return Response(query.response.result(), media_type="application/json")


def _in_progress(query: Query, code: str) -> Response:
    data = {"queryId": query.id, "getResultUrl": f"/queries/{query.id}/result"}
    body = {"data": data, "code": code, "message": "Query execution in progress.", "success": True}
    return Response(orjson.dumps(body), media_type="application/json")


def _success(data: Any) -> Response:
    body = {"data": data, "code": None, "message": None, "success": True}
    return Response(orjson.dumps(body), media_type="application/json")


def _failure(error: SnowflakeError) -> Response:
    return Response(_failure_body(error, None), media_type="application/json")


def _failure_body(error: SnowflakeError, query_id: str | None) -> bytes:
    code = f"{error.code:06d}"
    data = {"errorCode": code, "sqlState": error.sqlstate, "queryId": query_id}
    return orjson.dumps({"data": data, "code": code, "message": error.message, "success": False})


async def _body(http: HttpRequest) -> dict[str, Any]:
    content = await http.body()
    if http.headers.get("Content-Encoding") == "gzip":
        content = _decompressed(content, MAX_BODY_BYTES)
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise HTTPException(400, "The body is not JSON.") from error
    if not isinstance(body, dict):
        raise HTTPException(400, "The body is not a JSON object.")
    return body


def _decompressed(content: bytes, max_bytes: int) -> bytes:
    gzip_format = 16 + zlib.MAX_WBITS
    stream = zlib.decompressobj(gzip_format)
    try:
        text = stream.decompress(content, max_bytes)
    except zlib.error as error:
        raise HTTPException(400, "The body is not compressed by gzip.") from error
    if stream.unconsumed_tail:
        raise HTTPException(413, f"The request is larger than {max_bytes:,} bytes.")
    if not stream.eof:
        raise HTTPException(400, "The body is incomplete.")
    return text


def _client_address(http: HttpRequest) -> ClientAddress | None:
    return (http.client.host, http.client.port) if http.client else None


def _identifier(name: str | None) -> str | None:
    return normalise_ident(name) if name else None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
