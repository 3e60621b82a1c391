"""Requests to the simulated tenant that Gong's API does not have: its webhook, and calls on request."""

from __future__ import annotations

from typing import Any

import httpx

from gong_assets.local import GongEndpoint, LocalStackError

REQUEST_SECONDS = 60  # A call is announced before the response.


def register_webhook(tenant: GongEndpoint, url: str) -> str:
    """Announce processed calls at this URL from now on.

    Returns the public key of the signatures, in base64 as in Gong's rule editor. Raises LocalStackError.
    """
    _request(tenant, "POST", "/simulator/webhook", {"url": url})
    return str(_request(tenant, "GET", "/simulator/webhook")["publicKey"])


def add_call(tenant: GongEndpoint) -> str:
    """Add a call that has just ended, announce it, and return its ID. Raises LocalStackError."""
    return str(_request(tenant, "POST", "/simulator/calls")["id"])


def _request(tenant: GongEndpoint, method: str, path: str, body: Any = None) -> Any:
    credentials = (tenant.access_key, tenant.access_key_secret)
    try:
        response = httpx.request(
            method, f"{tenant.base_url}{path}", json=body, auth=credentials, trust_env=False,
            timeout=REQUEST_SECONDS,
        )  # fmt: skip
        response.raise_for_status()
    except httpx.HTTPError as error:
        raise LocalStackError(f"The simulated tenant refused {method} {path}: {error}") from error
    return response.json() if response.content else None
