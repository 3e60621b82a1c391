"""Errors of the agent functions. Each message is one line."""

from __future__ import annotations


class AgentError(Exception):
    """The request cannot be answered."""


class NotFound(AgentError):
    """The tables do not contain the requested call, company, rep, deal or embedding."""


class InvalidArgument(AgentError):
    """An argument is invalid, whatever the tables contain."""


class McpNotInstalled(AgentError):
    """The packages of the MCP server are missing."""
