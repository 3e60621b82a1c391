"""Ports that commands listen on."""

from __future__ import annotations

import errno
import socket

from gong_assets.cli.errors import CommandError

LOOPBACK = "127.0.0.1"


def listen(host: str, port: int, *, option: str) -> socket.socket:
    """Return a socket that listens on the address.

    Raises:
        CommandError: the address cannot be used. The message names `option`, which selects another port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                f"Port {port} of {host} is in use by another program, which may be another `gong-assets`. "
                f"Nothing was started.\nStop that program, or choose another port with {option}."
            ) from error
        # Python appends the address to the system's text.
        reason = str(error.strerror).partition(" (while")[0]
        raise CommandError(f"cannot listen on {host}, port {port}: {reason}") from error
