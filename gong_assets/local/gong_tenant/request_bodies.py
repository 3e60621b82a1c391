"""Models of the bodies of Gong's POST endpoints.

Names and defaults follow Gong's OpenAPI document. As in Gong, unknown fields are ignored.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel


class _Body(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class CallsFilter(_Body):
    """``from`` is inclusive, ``to`` is exclusive. Both are optional, unlike in Gong's document."""

    from_date_time: AwareDatetime | None = None
    to_date_time: AwareDatetime | None = None
    workspace_id: str | None = None
    call_ids: Annotated[list[str], Field(min_length=1)] | None = None  # an empty list is an error
    primary_user_ids: list[str] | None = None

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.from_date_time and self.to_date_time and self.from_date_time >= self.to_date_time:
            raise ValueError("fromDateTime: must be before toDateTime")
        return self


class Content(_Body):
    structure: bool = False
    topics: bool = False
    trackers: bool = False
    tracker_occurrences: bool = False
    points_of_interest: bool = False
    brief: bool = False
    outline: bool = False
    highlights: bool = False
    call_outcome: bool = False
    key_points: bool = False


class Interaction(_Body):
    speakers: bool = False
    video: bool = False
    person_interaction_stats: bool = False
    questions: bool = False


class Collaboration(_Body):
    public_comments: bool = False


class ExposedFields(_Body):
    parties: bool = False
    content: Content = Content()
    interaction: Interaction = Interaction()
    collaboration: Collaboration = Collaboration()
    media: bool = False


class ContentSelector(_Body):
    context: Literal["None", "Basic", "Extended"] = "None"
    context_timing: tuple[Literal["Now", "TimeOfCall"], ...] = ("Now",)
    exposed_fields: ExposedFields = ExposedFields()


class CallsRequest(_Body):
    cursor: str | None = None
    filter: CallsFilter
    content_selector: ContentSelector = ContentSelector()


class UsersFilter(_Body):
    created_from_date_time: AwareDatetime | None = None
    created_to_date_time: AwareDatetime | None = None
    user_ids: list[str] | None = None


class UsersRequest(_Body):
    cursor: str | None = None
    filter: UsersFilter


class StatsFilter(_Body):
    """Days in the company's time zone; ``from`` is inclusive, ``to`` is exclusive."""

    from_date: date
    to_date: date
    user_ids: list[str] | None = None

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.from_date >= self.to_date:
            raise ValueError("fromDate: must be before toDate")
        return self


class StatsRequest(_Body):
    cursor: str | None = None
    filter: StatsFilter


class ScorecardsFilter(_Body):
    call_from_date: date | None = None
    call_to_date: date | None = None
    review_from_date: date | None = None
    review_to_date: date | None = None
    review_method: Literal["AUTOMATIC", "MANUAL", "BOTH"] = "MANUAL"
    reviewed_user_ids: list[str] | None = None
    scorecard_ids: list[str] | None = None


class ScorecardsRequest(_Body):
    cursor: str | None = None
    filter: ScorecardsFilter
