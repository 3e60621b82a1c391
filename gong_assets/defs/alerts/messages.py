"""Wording of alerts, and the bodies that webhook providers accept.

- Slack: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/
- Teams (Workflows): https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from gong_assets.defs.alerts.ledger import Entry, Kind, State
from gong_assets.security.texts import one_line, printable

Format = Literal["slack", "teams", "json"]

MAX_LISTED = 20

# The verbs of failures, once they are over.
_PAST = {"failed": "had failed", "was": "had been", "is": "had been", "are": "had been"}

_SLACK_HOSTS = ("slack.com",)
# Power Automate and Logic Apps (workflows), and the connectors that Teams had before.
_TEAMS_HOSTS = ("logic.azure.com", "powerplatform.com", "powerautomate.com", "office.com", "office365.com")


@dataclass(frozen=True)
class Message:
    """One alert: a problem that opened or is over, or several of one group.

    Attributes:
        keys: keys of the problems in the ledger.
        name: what failed, and `failure` how, as in `Problem`.
        listed: titles of the problems of a group.
    """

    keys: tuple[str, ...]
    kind: Kind
    state: State
    name: str
    failure: str
    reason: str
    advice: str
    link: str
    since: datetime
    until: datetime | None
    occurrences: int
    listed: tuple[str, ...] = field(default=())

    @property
    def title(self) -> str:
        return f"{self.name} {self.failure}".rstrip()

    @property
    def headline(self) -> str:
        if self.state == "open":
            return f"Failed: {self.title}"
        verb, _, rest = self.failure.partition(" ")
        return f"Recovered: {self.name}, which {_PAST[verb]} {rest}".rstrip()

    @property
    def text(self) -> str:
        """The message as plain text."""
        return "\n".join(filter(None, [self.headline, *self.details, self.advice, self.link]))

    @property
    def details(self) -> list[str]:
        """The lines between the headline and the advice."""
        lines = [*self.listed, *self.reason.splitlines()]
        if self.state == "closed" and self.until:
            times = "once" if self.occurrences == 1 else f"{self.occurrences} times"
            since, until = (f"{time:%Y-%m-%d %H:%M}" for time in (self.since, self.until))
            lines.append(f"It failed {times} from {since} to {until} UTC.")
        return lines


def messages(entries: Iterable[Entry], base_url: str | None) -> list[Message]:
    """Return a message for each entry, or for several of the same group and state."""
    groups: dict[tuple[str, State], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.problem.group or entry.problem.key, entry.state), []).append(entry)
    return [_message(group, base_url) for group in groups.values()]


def _message(entries: Sequence[Entry], base_url: str | None) -> Message:
    first = entries[0]
    problem = first.problem
    is_over = first.state == "closed"
    name, failure = problem.name, problem.failure
    listed: tuple[str, ...] = ()
    if len(entries) > 1:
        name, failure = f"{len(entries)} assets", "are overdue"
        names = [one_line(entry.problem.name) for entry in entries]
        more = [f"and {len(names) - MAX_LISTED} more"] if len(names) > MAX_LISTED else []
        listed = (*names[:MAX_LISTED], *more)
    return Message(
        keys=tuple(entry.problem.key for entry in entries),
        kind=problem.kind,
        state=first.state,
        # A line break in the key of a partition would end the header of a mail.
        name=one_line(name),
        failure=one_line(failure),
        reason="" if is_over else printable(problem.reason),
        advice="" if is_over else problem.advice,
        link=f"{base_url.rstrip('/')}{problem.path}" if base_url else f"Dagster UI: {problem.path}",
        since=min(entry.opened_at for entry in entries),
        until=max(entry.closed_at for entry in entries if entry.closed_at) if is_over else None,
        occurrences=max(entry.occurrences for entry in entries),
        listed=listed,
    )


def format_of(url: str) -> Format:
    """Return the format that the provider of this URL accepts."""
    host = urlsplit(url).hostname or ""
    if any(host == each or host.endswith(f".{each}") for each in _SLACK_HOSTS):
        return "slack"
    if any(host == each or host.endswith(f".{each}") for each in _TEAMS_HOSTS):
        return "teams"
    return "json"


def body(message: Message, provider: Format) -> dict[str, Any]:
    """Return the JSON body of a webhook request."""
    return {"slack": _slack, "teams": _teams, "json": _json}[provider](message)


def _json(message: Message) -> dict[str, Any]:
    return {
        "text": message.text,
        "state": message.state,
        "kind": message.kind,
        "title": message.title,
        "reason": message.reason,
        "advice": message.advice,
        "link": message.link,
        "since": message.since.isoformat(),
        "until": message.until and message.until.isoformat(),
        "occurrences": message.occurrences,
        "keys": list(message.keys),
    }


def _slack(message: Message) -> dict[str, Any]:
    mark = ":white_check_mark:" if message.state == "closed" else ":red_circle:"
    blocks = [_section(f"{mark} *{_escaped(message.headline)}*")]
    if message.details:
        blocks.append(_section(f"```{_escaped(chr(10).join(message.details))}```"))
    if message.advice:
        blocks.append(_section(_escaped(message.advice)))
    link = f"<{message.link}|Open in Dagster>" if _is_url(message.link) else _escaped(message.link)
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": link}]})
    return {"text": _escaped(message.headline), "blocks": blocks}


def _section(text: str) -> dict[str, Any]:
    # Slack makes no links of addresses and no mentions of names in a verbatim text.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:3000], "verbatim": True}}


def _escaped(text: str) -> str:
    """Return the text with Slack's three control characters escaped, and without fences of code."""
    plain = text.replace("`", "'")
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(message: Message) -> dict[str, Any]:
    # RichTextBlock shows its text as it is; a TextBlock would read it as Markdown.
    color = "good" if message.state == "closed" else "attention"
    rich = [_rich(message.headline, weight="bolder", size="medium", color=color)]
    rich += [_rich(line, fontType="monospace") for line in message.details]
    rich += [_rich(message.advice)] if message.advice else []
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": rich,
    }
    if _is_url(message.link):
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open in Dagster", "url": message.link}]
    else:
        rich.append(_rich(message.link))
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def _rich(text: str, **style: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _is_url(text: str) -> bool:
    return text.startswith(("https://", "http://"))
