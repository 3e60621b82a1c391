"""Snowflake's HTTP API as its clients call it: log in, run a statement, fetch a late result, log out.

An error of a statement is a 200 with ``success: false``, as on Snowflake; the connector would retry anything
else for minutes. A statement that takes long is answered with "in progress" and asked for again.
"""

from __future__ import annotations

import asyncio
import gzip
import uuid
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import orjson
from fakesnow.converter import from_binding
from fakesnow.expr import normalise_ident
from fakesnow.transforms import SERVER_VERSION
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from gong_assets.local.snowflake.errors import SnowflakeError, translate
from gong_assets.local.snowflake.session import Answer, Login, Request, Session
from gong_assets.local.snowflake.sessions import Sessions

# The connector gives up reading after 60 seconds; Snowflake answers "in progress" after 45.
IN_PROGRESS_SECONDS = 45.0
# How many answers a session keeps for a client that asks again after a broken connection.
KEPT_ANSWERS = 2

_IN_PROGRESS = "333333"
_IN_PROGRESS_ASYNC = "333334"
_SESSION_GONE = SnowflakeError(
    390111, "08001", "Session no longer exists. New login required to access the service."
)


@dataclass(frozen=True)
class Query:
    """A statement that was submitted, and its answer to be."""

    id: str
    request_id: str
    answer: Future[bytes]


class SnowflakeApi:
    """The routes of the API over the open sessions."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._queries: WeakKeyDictionary[Session, OrderedDict[str, Query]] = WeakKeyDictionary()

    def routes(self) -> list[Route]:
        """What to mount at the root of a server."""
        return [
            Route("/session/v1/login-request", self.log_in, methods=["POST"]),
            Route("/session", self.session, methods=["POST"]),
            Route("/session/heartbeat", self.session, methods=["POST"]),
            Route("/queries/v1/query-request", self.query, methods=["POST"]),
            Route("/queries/v1/abort-request", self.abort, methods=["POST"]),
            Route("/queries/{query_id}/result", self.late_result, methods=["GET"]),
            Route("/monitoring/queries/{query_id}", self.monitor, methods=["GET"]),
        ]

    async def log_in(self, http: HttpRequest) -> Response:
        data = (await _body(http))["data"]
        parameters = {name: _text(value) for name, value in (data.get("SESSION_PARAMETERS") or {}).items()}
        query = http.query_params
        login = Login(
            account=str(data.get("ACCOUNT_NAME") or "").upper(),
            user=str(data.get("LOGIN_NAME") or "").upper(),
            role=normalise_ident(query.get("roleName") or "PUBLIC"),
            warehouse=normalise_ident(query.get("warehouse") or ""),
            database=_identifier(query.get("databaseName")),
            schema=_identifier(query.get("schemaName")),
            parameters=parameters,
        )
        try:
            session = await self._sessions.open(login)
        except Exception as error:
            return _failure(translate(error))
        self._queries[session] = OrderedDict()
        self._sessions.get(session.token, _peer(http))
        return _success(
            {
                "token": session.token,
                # The connector logs out only when it has a master token; sessions here need no renewal.
                "masterToken": session.token,
                "sessionId": session.id,
                "serverVersion": SERVER_VERSION,
                "parameters": [
                    {"name": "AUTOCOMMIT", "value": session.transaction.autocommit},
                    {"name": "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY", "value": 3600},
                    # 0 keeps the values of a batch in the request: they are not staged first.
                    {"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0},
                    {"name": "CLIENT_TELEMETRY_ENABLED", "value": False},
                    *_session_parameters(session),
                ],
                "sessionInfo": {
                    "databaseName": session.database,
                    "schemaName": session.schema,
                    "warehouseName": login.warehouse or None,
                    "roleName": login.role,
                },
            }
        )

    async def session(self, http: HttpRequest) -> Response:
        """Heartbeat, or log out with ``?delete=true``."""
        session = self._session(http)
        if session is None:
            return _failure(_SESSION_GONE)
        if http.query_params.get("delete"):
            await self._sessions.close(session.token)
        return _success(None)

    async def query(self, http: HttpRequest) -> Response:
        session = self._session(http)
        if session is None:
            return _failure(_SESSION_GONE)
        body = await _body(http)
        request_id = http.query_params.get("requestId") or str(uuid.uuid4())
        queries = self._queries[session]
        query = next((q for q in queries.values() if q.request_id == request_id), None)
        if query is None:
            query = self._submit(session, request_id, body)
        if body.get("asyncExec"):
            return _in_progress(query, _IN_PROGRESS_ASYNC)
        return await _wait(query)

    async def late_result(self, http: HttpRequest) -> Response:
        query = self._known_query(http)
        return await _wait(query) if query else _failure(_SESSION_GONE)

    async def monitor(self, http: HttpRequest) -> Response:
        """The status of a query that was started without waiting for it."""
        query = self._known_query(http)
        if query is None:
            return _success({"queries": []})
        if not query.answer.done():
            status = "RUNNING"
        else:
            status = "SUCCESS" if orjson.loads(query.answer.result())["success"] else "FAILED_WITH_ERROR"
        return _success({"queries": [{"id": query.id, "status": status}]})

    async def abort(self, http: HttpRequest) -> Response:
        if session := self._session(http):
            session.cancel()
        return _success(None)

    def _session(self, http: HttpRequest) -> Session | None:
        token = http.headers.get("Authorization", "").removeprefix('Snowflake Token="').removesuffix('"')
        return self._sessions.get(token, _peer(http))

    def _known_query(self, http: HttpRequest) -> Query | None:
        session = self._session(http)
        return self._queries[session].get(http.path_params["query_id"]) if session else None

    def _submit(self, session: Session, request_id: str, body: dict[str, Any]) -> Query:
        query_id = str(uuid.uuid4())

        def answer() -> bytes:
            try:
                return _encode(session, query_id, session.execute(_request(body), query_id))
            except Exception as error:
                return _failure_body(translate(error), query_id)

        query = Query(query_id, request_id, session.submit(answer))
        queries = self._queries[session]
        queries[query_id] = query
        finished = [old.id for old in queries.values() if old.answer.done()]
        for old_id in finished[:-KEPT_ANSWERS]:
            del queries[old_id]
        return query


def _request(body: dict[str, Any]) -> Request:
    describe_only = bool(body.get("describeOnly"))
    bindings = body.get("bindings") or {}
    if not all(name.isdigit() for name in bindings):
        named = {name: _bound(binding["type"], binding["value"]) for name, binding in bindings.items()}
        return Request(body["sqlText"], named, describe_only=describe_only)
    columns = [bindings[str(position)] for position in range(1, len(bindings) + 1)]
    if any(isinstance(column["value"], list) for column in columns):
        values = [[_bound(column["type"], value) for value in column["value"]] for column in columns]
        batch = [list(row) for row in zip(*values, strict=True)]
        return Request(body["sqlText"], batch=batch, describe_only=describe_only)
    positional = [_bound(column["type"], column["value"]) for column in columns]
    return Request(body["sqlText"], positional or None, describe_only=describe_only)


def _bound(kind: str, value: str | None) -> Any:
    return None if value is None else from_binding({"type": kind, "value": value})


def _encode(session: Session, query_id: str, answer: Answer) -> bytes:
    if answer.upload is not None:
        return orjson.dumps({"data": answer.upload, "success": True})
    data = {
        "parameters": _session_parameters(session),
        "queryId": query_id,
        "statementTypeId": answer.result.statement_type,
        "finalDatabaseName": session.database,
        "finalSchemaName": session.schema,
        "finalRoleName": session.variable("current_role"),
        "finalWarehouseName": session.variable("current_warehouse") or None,
        **answer.result.encoded(),
    }
    return orjson.dumps({"data": data, "code": None, "message": None, "success": True})


def _session_parameters(session: Session) -> list[dict[str, Any]]:
    return [{"name": "TIMEZONE", "value": session.parameters.get("TIMEZONE", "Etc/UTC")}]


async def _wait(query: Query) -> Response:
    await asyncio.wait([asyncio.wrap_future(query.answer)], timeout=IN_PROGRESS_SECONDS)
    if not query.answer.done():
        return _in_progress(query, _IN_PROGRESS)
    return Response(query.answer.result(), media_type="application/json")


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
        content = gzip.decompress(content)
    body: dict[str, Any] = orjson.loads(content)
    return body


def _peer(http: HttpRequest) -> tuple[str, int] | None:
    return (http.client.host, http.client.port) if http.client else None


def _identifier(name: str | None) -> str | None:
    return normalise_ident(name) if name else None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
