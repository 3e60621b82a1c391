"""Delivery of alerts: the log of the sensor, a webhook, and e-mail."""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from gong_assets.defs.alerts.messages import Format, Message, body, format_of
from gong_assets.settings import Settings

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS = 10


class DeliveryError(Exception):
    """A channel cannot be reached, or did not accept a message.

    The text names no URL, which may be a secret.
    """


class Channel(Protocol):
    """A way to deliver messages. Its name identifies it in the ledger."""

    @property
    def name(self) -> str: ...

    def send(self, message: Message) -> None:
        """Deliver one message.

        Raises:
            DeliveryError: it was not accepted.
        """

    def probe(self) -> None:
        """Check that messages can be delivered, as far as that shows without one.

        Raises:
            DeliveryError: the channel cannot be reached.
        """


@dataclass(frozen=True)
class Log:
    """The log of the sensor's tick, which the Dagster UI shows."""

    logger: logging.Logger
    name: str = "log"

    def send(self, message: Message) -> None:
        level = logging.INFO if message.state == "closed" else logging.ERROR
        self.logger.log(level, message.text)

    def probe(self) -> None:
        """Do nothing: a log can always be written."""


@dataclass(frozen=True)
class Webhook:
    """A URL that accepts JSON."""

    url: str
    format: Format
    name: str = "webhook"

    def send(self, message: Message) -> None:
        response = self._response("POST", json=body(message, self.format))
        if not response.is_success:
            raise DeliveryError(f"The alert webhook answered with HTTP {response.status_code}.")

    def probe(self) -> None:
        self._response("HEAD")  # Any answer shows that the host can be reached. Only a POST sends a message.

    def _response(self, method: str, **arguments: Any) -> httpx.Response:
        import httpx

        try:
            return httpx.request(method, self.url, timeout=TIMEOUT_SECONDS, **arguments)
        # An invalid URL is no HTTPError. The texts of both may contain the URL.
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise DeliveryError(f"The alert webhook cannot be reached ({type(error).__name__}).") from None


@dataclass(frozen=True)
class Email:
    """Messages to one or several addresses by SMTP."""

    url: str
    sender: str
    recipients: tuple[str, ...]
    name: str = "email"

    def send(self, message: Message) -> None:
        mail = EmailMessage()
        mail["Subject"] = f"[gong_assets] {message.headline}"
        mail["From"] = self.sender
        mail["To"] = ", ".join(self.recipients)
        mail.set_content(message.text)
        with self._connected() as server:
            server.send_message(mail)

    def probe(self) -> None:
        with self._connected():
            pass

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """Sign in to the mail server."""
        try:
            with self._signed_in() as server:
                yield server
        except (OSError, ValueError, smtplib.SMTPException) as error:
            # The text of an SMTP error may repeat the user name.
            code = f" {error.smtp_code}" if isinstance(error, smtplib.SMTPResponseException) else ""
            raise DeliveryError(
                "The alert mail server did not accept the message or the sign-in "
                f"({type(error).__name__}{code})."
            ) from None

    def _signed_in(self) -> smtplib.SMTP:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        tls = ssl.create_default_context()
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, parts.port or 465, timeout=TIMEOUT_SECONDS, context=tls
            )
        else:
            server = smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT_SECONDS)
        try:
            if parts.scheme == "smtp" and (server.ehlo()[0] == 250 and server.has_extn("starttls")):
                server.starttls(context=tls)
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
        except BaseException:
            server.close()
            raise
        return server


def configured_channels(settings: Settings, logger: logging.Logger) -> Iterator[Channel]:
    """Yield the log, and the channels that the settings name."""
    yield Log(logger)
    if settings.gong_assets_alert_webhook_url:
        url = settings.gong_assets_alert_webhook_url.get_secret_value()
        yield Webhook(url, settings.gong_assets_alert_webhook_format or format_of(url))
    if settings.gong_assets_alert_smtp_url and settings.gong_assets_alert_email_to:
        recipients = tuple(
            address.strip() for address in settings.gong_assets_alert_email_to.split(",") if address.strip()
        )
        sender = settings.gong_assets_alert_email_from or recipients[0]
        yield Email(settings.gong_assets_alert_smtp_url.get_secret_value(), sender, recipients)
