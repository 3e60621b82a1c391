"""The calls that the API shows at the current time of the tenant.

``calls.CallGenerator`` generates calls, which never change. What is visible of a call changes with time and,
in tests, on request.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gong_assets.local.gong_tenant.call_documents import is_conference
from gong_assets.local.gong_tenant.calls import HISTORY, Call, CallGenerator, Lifecycle
from gong_assets.local.gong_tenant.request_bodies import CallsFilter


class Clock:
    """The current time of the tenant: the machine's, or a fixed time."""

    def __init__(self, now: datetime | None = None) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now or datetime.now(UTC)

    def stop_at(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)


class CallStore:
    """The calls of a tenant as its API shows them now.

    With ``blind`` there are no visible calls, as for an API key whose user may view none.
    """

    def __init__(self, generator: CallGenerator, clock: Clock, *, blind: bool = False) -> None:
        self.generator = generator
        self.company = generator.company
        self.clock = clock
        self._blind = blind
        self._overrides: dict[str, Lifecycle] = {}
        self._added: dict[str, Call] = {}

    def list_calls(self, filters: CallsFilter, *, by_schedule: bool = False) -> tuple[list[Call], int]:
        """Return the matching calls, oldest first, and the number of matching calls that are still processed.

        GET /v2/calls filters web conferences by their scheduled time; all other endpoints filter by start.
        """
        now = self.clock.now()
        matching = self._matching(filters, by_schedule=by_schedule)
        listed = [call for call in matching if call.lifecycle.is_listed(now)]
        return listed, sum(call.started <= now < call.lifecycle.visible_at for call in matching)

    def list_transcribed(self, filters: CallsFilter) -> list[Call]:
        """Return the matching calls that have a transcript, oldest first."""
        now = self.clock.now()
        return [call for call in self._matching(filters) if call.lifecycle.has_transcript(now)]

    def get(self, call_id: str) -> Call | None:
        """Return the call with that id if it is listed now."""
        call = None if self._blind else self._find(call_id)
        return call if call and call.lifecycle.is_listed(self.clock.now()) else None

    def make_private(self, call_id: str) -> bool:
        """Make a call private as of now; returns False if it does not exist."""
        return self._override(call_id, private_at=self.clock.now())

    def delete(self, call_id: str) -> bool:
        """Delete a call as of now; returns False if it does not exist."""
        return self._override(call_id, deleted_at=self.clock.now())

    def add(self) -> Call:
        """Add a call that has just ended and is fully processed, and return it.

        It exists until the tenant stops.
        """
        call = self.generator.call_ending_at(self.clock.now(), len(self._added))
        self._added[call.id] = call
        return call

    def _matching(self, filters: CallsFilter, *, by_schedule: bool = False) -> list[Call]:
        now = self.clock.now()
        start = max(filters.from_date_time or now - HISTORY, now - HISTORY)
        # Scheduled times may be slightly in the future.
        end = min(filters.to_date_time or now, now + timedelta(days=1))
        if self._blind or start >= end or filters.workspace_id not in (None, self.company.workspace_id):
            return []
        if filters.call_ids is None:
            generated = [*self.generator.calls_between(start, end), *self._added.values()]
            calls = sorted(map(self._with_override, generated), key=lambda call: (call.started, call.id))
        else:
            found = filter(None, map(self._find, dict.fromkeys(filters.call_ids)))
            calls = sorted(found, key=lambda call: (call.started, call.id))
        hosts = filters.primary_user_ids
        return [
            call
            for call in calls
            if start <= (call.scheduled if by_schedule and is_conference(call) else call.started) < end
            and (hosts is None or call.host.id in hosts)
        ]

    def _find(self, call_id: str) -> Call | None:
        call = self._added.get(call_id) or self.generator.find_call(call_id)
        return self._with_override(call) if call else None

    def _with_override(self, call: Call) -> Call:
        lifecycle = self._overrides.get(call.id)
        return replace(call, lifecycle=lifecycle) if lifecycle else call

    def _override(self, call_id: str, **moments: datetime) -> bool:
        call = self._find(call_id)
        if call is None:
            return False
        self._overrides[call_id] = replace(call.lifecycle, **moments)
        return True
