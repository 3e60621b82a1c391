"""Results of the doctor's checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class CheckResult:
    """Result of one check. `fail` needs action before the graph can run; `warn` does not."""

    status: Status
    subject: str
    message: str

    def as_json(self) -> dict[str, str | bool]:
        return {
            "ok": self.status != "fail",
            "status": self.status,
            "subject": self.subject,
            "message": self.message,
        }


def guarded(subject: str, check: Callable[[], Iterator[CheckResult]]) -> Iterator[CheckResult]:
    """Yield the results of a check. An error that it does not expect is a failure of this check only."""
    from gong_assets.error_advice import explain

    try:
        yield from check()
    except Exception as error:
        yield CheckResult("fail", subject, f"{type(error).__name__}: {explain(error)}")
