"""Gong's records as typed objects: the fields of its OpenAPI document, "Gong API V2".

The models are lenient, because Gong adds fields without notice, leaves out what it has not computed yet, and
sends null for most other fields: unknown fields are ignored, missing ones are None or empty, and a block of
an unknown shape counts as missing. Only the fields that a row needs are required; the `...Header` classes
have just these. Ids are strings, and exact even if a server sends numbers. Times are UTC. Durations are in
seconds, except a sentence's `start` and `end`, which are in milliseconds.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic.alias_generators import to_camel


def _none_unless_valid(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except ValidationError:
        return None


def _empty_unless_valid(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    return _none_unless_valid(value, validate) or []


def _only_text(value: Any) -> Any:
    if value is not None and not isinstance(value, str):
        raise ValueError("a time must be a string: a number would be read as seconds since 1970")
    return value


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is beyond the years 1 to 9999 in UTC") from error


T = TypeVar("T")

# Ids of Gong have up to 20 digits. The columns of the warehouse are this long.
MAX_ID_LENGTH = 100
Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_LENGTH)]
UtcTime = Annotated[AwareDatetime, BeforeValidator(_only_text), AfterValidator(_to_utc)]
Maybe = Annotated[T | None, WrapValidator(_none_unless_valid)]
Many = Annotated[list[T], WrapValidator(_empty_unless_valid)]


class GongModel(BaseModel):
    """Read-only, with Gong's camelCase as snake_case."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        coerce_numbers_to_str=True,
        extra="ignore",
    )


class CallKeys(GongModel):
    """The fields that a row of a call needs. Without `started` or `scheduled` it would belong to no day."""

    id: Id
    started: UtcTime | None = None
    scheduled: UtcTime | None = None
    is_private: Maybe[bool] = None

    @model_validator(mode="after")
    def _has_a_time(self) -> Self:
        if self.started is None and self.scheduled is None:
            raise ValueError("neither started nor scheduled")
        return self


class CallMetaData(CallKeys):
    """CallBasicData."""

    title: Maybe[str] = None
    url: Maybe[str] = None
    duration: Maybe[float] = None
    primary_user_id: Maybe[str] = None
    direction: Maybe[str] = None
    system: Maybe[str] = None
    scope: Maybe[str] = None
    media: Maybe[str] = None
    language: Maybe[str] = None
    workspace_id: Maybe[str] = None
    sdr_disposition: Maybe[str] = None
    client_unique_id: Maybe[str] = None
    custom_data: Maybe[str] = None
    purpose: Maybe[str] = None
    meeting_url: Maybe[str] = None
    calendar_event_id: Maybe[str] = None


class ContextField(GongModel):
    """A CRM field. Its value may be a number, a string, or a string with a number or a boolean."""

    name: Maybe[str] = None
    value: Any = None


class ContextObject(GongModel):
    """A CRM object. With both timings requested there are two: as it is now, and as it was at the call."""

    object_type: Maybe[str] = None
    object_id: Maybe[str] = None
    fields: Many[ContextField] = []
    timing: Maybe[str] = None


class Context(GongModel):
    """The objects of one CRM that belong to a call or a party."""

    system: Maybe[str] = None
    objects: Many[ContextObject] = []


class Party(GongModel):
    """A person invited or on the call. `speaker_id` joins transcripts, `id` joins `Interaction.speakers`."""

    id: Maybe[str] = None
    email_address: Maybe[str] = None
    name: Maybe[str] = None
    title: Maybe[str] = None
    user_id: Maybe[str] = None
    speaker_id: Maybe[str] = None
    context: Many[Context] = []
    affiliation: Maybe[str] = None
    phone_number: Maybe[str] = None
    methods: Many[str] = []


class NamedDuration(GongModel):
    """Seconds spent on a topic, a part of the call's structure, or a kind of video."""

    name: Maybe[str] = None
    duration: Maybe[float] = None


class Occurrence(GongModel):
    """An occurrence of a tracker."""

    start_time: Maybe[float] = None
    speaker_id: Maybe[str] = None


class TrackerPhrase(GongModel):
    """One wording of a tracker."""

    phrase: Maybe[str] = None
    count: Maybe[int] = None
    occurrences: Many[Occurrence] = []


class Tracker(GongModel):
    """A tracker, even with a count of zero."""

    id: Maybe[str] = None
    name: Maybe[str] = None
    count: Maybe[int] = None
    type: Maybe[str] = None
    occurrences: Many[Occurrence] = []
    phrases: Many[TrackerPhrase] = []


class OutlineItem(GongModel):
    """A line of an outline's section."""

    text: Maybe[str] = None
    start_time: Maybe[float] = None


class OutlineSection(GongModel):
    """A section of the outline that Gong wrote."""

    section: Maybe[str] = None
    start_time: Maybe[float] = None
    duration: Maybe[float] = None
    items: Many[OutlineItem] = []


class HighlightItem(GongModel):
    """A line of a highlight, with the times that it rests on."""

    text: Maybe[str] = None
    start_times: Many[float] = []


class Highlight(GongModel):
    """A titled list of highlights."""

    title: Maybe[str] = None
    items: Many[HighlightItem] = []


class CallOutcome(GongModel):
    """How the call ended."""

    id: Maybe[str] = None
    category: Maybe[str] = None
    name: Maybe[str] = None


class KeyPoint(GongModel):
    """One of the call's key points."""

    text: Maybe[str] = None


class Content(GongModel):
    """Gong's analysis of the call. It arrives minutes to hours after the call itself."""

    structure: Many[NamedDuration] = []
    topics: Many[NamedDuration] = []
    trackers: Many[Tracker] = []
    brief: Maybe[str] = None
    outline: Many[OutlineSection] = []
    highlights: Many[Highlight] = []
    call_outcome: Maybe[CallOutcome] = None
    key_points: Many[KeyPoint] = []


class Speaker(GongModel):
    """How long one party spoke. `id` is the id of the party."""

    id: Maybe[str] = None
    user_id: Maybe[str] = None
    talk_time: Maybe[float] = None


class InteractionStat(GongModel):
    """A measure of the host: Talk Ratio is a fraction of 1, monologues and patience are seconds."""

    name: Maybe[str] = None
    value: Maybe[float] = None


class Questions(GongModel):
    """Questions asked by each side."""

    company_count: Maybe[int] = None
    non_company_count: Maybe[int] = None


class Interaction(GongModel):
    """Who spoke, and how."""

    speakers: Many[Speaker] = []
    interaction_stats: Many[InteractionStat] = []
    video: Many[NamedDuration] = []
    questions: Maybe[Questions] = None


class Comment(GongModel):
    """A public comment on the call."""

    id: Maybe[str] = None
    audio_start_time: Maybe[float] = None
    audio_end_time: Maybe[float] = None
    commenter_user_id: Maybe[str] = None
    comment: Maybe[str] = None
    posted: Maybe[UtcTime] = None
    in_reply_to: Maybe[str] = None
    during_call: Maybe[bool] = None


class Collaboration(GongModel):
    """Comments of colleagues on the call."""

    public_comments: Many[Comment] = []


class CallHeader(GongModel):
    """The fields of a call that a row needs."""

    meta_data: CallKeys


class Call(GongModel):
    """CallData of POST /v2/calls/extensive, without its `media` links."""

    meta_data: CallMetaData
    context: Many[Context] = []
    parties: Many[Party] = []
    content: Maybe[Content] = None
    interaction: Maybe[Interaction] = None
    collaboration: Maybe[Collaboration] = None


class Sentence(GongModel):
    """`start` and `end` are milliseconds from the start of the call."""

    start: Maybe[int] = None
    end: Maybe[int] = None
    text: Maybe[str] = None


class Monologue(GongModel):
    """One turn of one speaker, who is null if Gong did not recognize them."""

    speaker_id: Maybe[str] = None
    topic: Maybe[str] = None
    sentences: Many[Sentence] = []


class TranscriptHeader(GongModel):
    """The fields of a transcript that a row needs. A transcript has no time of its own."""

    call_id: Id


class Transcript(TranscriptHeader):
    """CallTranscript of POST /v2/calls/transcript."""

    transcript: Many[Monologue] = []


class SpokenLanguage(GongModel):
    """A BCP 47 language tag."""

    language: Maybe[str] = None
    primary: Maybe[bool] = None


class UserSettings(GongModel):
    """Settings for what Gong records and imports for a user."""

    web_conferences_recorded: Maybe[bool] = None
    prevent_web_conference_recording: Maybe[bool] = None
    telephony_calls_imported: Maybe[bool] = None
    emails_imported: Maybe[bool] = None
    prevent_email_import: Maybe[bool] = None
    non_recorded_meetings_imported: Maybe[bool] = None
    gong_connect_enabled: Maybe[bool] = None


class UserHeader(GongModel):
    """The fields of a user that a row needs."""

    id: Id


class User(UserHeader):
    """User of GET /v2/users, avatars (Gong's own staff) included."""

    email_address: Maybe[str] = None
    created: Maybe[UtcTime] = None
    active: Maybe[bool] = None
    email_aliases: Many[str] = []
    trusted_email_address: Maybe[str] = None
    first_name: Maybe[str] = None
    last_name: Maybe[str] = None
    title: Maybe[str] = None
    phone_number: Maybe[str] = None
    extension: Maybe[str] = None
    personal_meeting_urls: Many[str] = []
    settings: Maybe[UserSettings] = None
    manager_id: Maybe[str] = None
    meeting_consent_page_url: Maybe[str] = None
    spoken_languages: Many[SpokenLanguage] = []
