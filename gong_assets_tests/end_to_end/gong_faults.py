"""Faults of the test Gong: responses that a request gets instead of an answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from starlette.responses import JSONResponse, Response, StreamingResponse

# `quota` is a 429 whose Retry-After is counted in hours; `reset` closes the connection within the body.
Fault = Literal["unavailable", "rate_limited", "quota", "reset"]


def fault_response(fault: Fault) -> Response:
    match fault:
        case "unavailable":
            return JSONResponse({"errors": ["Service Unavailable"]}, 503)
        case "rate_limited":
            return JSONResponse({"errors": ["API rate limit exceeded"]}, 429, headers={"Retry-After": "0"})
        case "quota":
            errors = {"errors": ["API daily limit exceeded"]}
            return JSONResponse(errors, 429, headers={"Retry-After": "36000"})
        case "reset":
            return StreamingResponse(_broken_off(), headers={"Content-Length": "1000"})


def _broken_off() -> Iterator[bytes]:
    yield b'{"requestId": "'
