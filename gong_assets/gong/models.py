"""Typed models of Gong's calls, transcripts and users.

The fields are those of Gong's OpenAPI document, "Gong API V2", and those that its responses have in addition.
The models are lenient, because Gong adds fields without notice, omits what it has not computed yet, and sends
null for most of the rest: unknown fields are ignored, missing ones are None or empty, and a value of an
unknown shape counts as missing. Only the fields that a row needs are required; the `...Header` classes have
just those. Ids are strings, even if Gong sends numbers. Times are in UTC. Durations and offsets are in
seconds, except for the `start` and `end` of a sentence, which are in milliseconds.

The schema check derives the known fields from these models: `Sent`, `Scalar` and `Marker.ANY` are for it.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from gong_assets.gong.field_types import GongModel, Id, Many, Marker, Maybe, Scalar, Sent, UtcTime


class CallKeys(GongModel):
    """The fields that a call's row requires. `started` or `scheduled` gives its day."""

    id: Sent[Id]
    started: Sent[UtcTime | None] = None
    scheduled: UtcTime | None = None
    is_private: Maybe[bool]

    @model_validator(mode="after")
    def _has_a_time(self) -> Self:
        if self.started is None and self.scheduled is None:
            raise ValueError("neither started nor scheduled")
        return self


class CallMetaData(CallKeys):
    """CallBasicData."""

    title: Maybe[str]
    url: Maybe[str]
    duration: Sent[Maybe[float]]
    primary_user_id: Maybe[Scalar]
    direction: Maybe[str]
    system: Maybe[str]
    scope: Maybe[str]
    media: Maybe[str]
    language: Maybe[str]
    workspace_id: Maybe[Scalar]
    sdr_disposition: Maybe[str]
    client_unique_id: Maybe[Scalar]
    custom_data: Maybe[Annotated[str, Marker.ANY]]
    purpose: Maybe[str]
    meeting_url: Maybe[str]
    calendar_event_id: Maybe[Scalar]


class ContextField(GongModel):
    """A CRM field. Its value is a number, a string, or a string that contains a number or a boolean."""

    name: Maybe[str]
    value: Any = None


class ContextObject(GongModel):
    """A CRM object. With both timings requested, Gong sends it as it is now and as it was at the call."""

    object_type: Maybe[str]
    object_id: Maybe[Scalar]
    fields: Many[ContextField]
    timing: Maybe[str]


class Context(GongModel):
    """The objects of one CRM that belong to a call or a party."""

    system: Maybe[str]
    objects: Many[ContextObject]


class Party(GongModel):
    """An invitee or participant. `speaker_id` joins the transcript, `id` joins `Interaction.speakers`."""

    id: Sent[Maybe[Scalar]]
    email_address: Maybe[str]
    name: Maybe[str]
    title: Maybe[str]
    user_id: Maybe[Scalar]
    speaker_id: Maybe[Scalar]
    context: Many[Context]
    affiliation: Maybe[str]
    phone_number: Maybe[str]
    methods: Many[str]


class NamedDuration(GongModel):
    """Seconds spent on a topic, a part of the call's structure, or a kind of video."""

    name: Maybe[str]
    duration: Maybe[float]


class Occurrence(GongModel):
    """An occurrence of a tracker."""

    start_time: Maybe[float]
    speaker_id: Maybe[Scalar]


class TrackerPhrase(GongModel):
    """One phrase of a tracker."""

    phrase: Maybe[str]
    count: Maybe[int]
    occurrences: Many[Occurrence]


class Tracker(GongModel):
    """A tracker. Gong also lists those that did not occur."""

    id: Maybe[Scalar]
    name: Maybe[str]
    count: Maybe[int]
    type: Maybe[str]
    occurrences: Many[Occurrence]
    phrases: Many[TrackerPhrase]


class OutlineItem(GongModel):
    """One item of an outline section."""

    text: Maybe[str]
    start_time: Maybe[float]


class OutlineSection(GongModel):
    """One section of Gong's outline."""

    section: Maybe[str]
    start_time: Maybe[float]
    duration: Maybe[float]
    items: Many[OutlineItem]


class HighlightItem(GongModel):
    """One highlight, with the times it refers to."""

    text: Maybe[str]
    start_times: Many[float]


class Highlight(GongModel):
    """A titled list of highlights."""

    title: Maybe[str]
    items: Many[HighlightItem]


class CallOutcome(GongModel):
    """The call's outcome."""

    id: Maybe[Scalar]
    category: Maybe[str]
    name: Maybe[str]


class KeyPoint(GongModel):
    """One key point."""

    text: Maybe[str]


class ActionItem(GongModel):
    """A sentence with a promise."""

    snippet_start_time: Maybe[float]
    snippet_end_time: Maybe[float]
    speaker_id: Maybe[Scalar] = Field(alias="speakerID")
    snippet: Maybe[str]


class PointsOfInterest(GongModel):
    """No longer in Gong's document, but still sent."""

    action_items: Many[ActionItem]


class Content(GongModel):
    """Gong's analysis of the call, available minutes to hours after the call."""

    structure: Many[NamedDuration]
    topics: Many[NamedDuration]
    trackers: Many[Tracker]
    brief: Maybe[str]
    outline: Many[OutlineSection]
    highlights: Many[Highlight]
    call_outcome: Maybe[CallOutcome]
    key_points: Many[KeyPoint]
    points_of_interest: Maybe[PointsOfInterest]
    tracker_occurrences: Any = None


class Speaker(GongModel):
    """Talk time of one party; `id` is the party's."""

    id: Maybe[Scalar]
    user_id: Maybe[Scalar]
    talk_time: Maybe[float]


class InteractionStat(GongModel):
    """A measure of the host. Talk Ratio is a fraction; monologues and patience are in seconds."""

    name: Maybe[str]
    value: Maybe[float]


class Questions(GongModel):
    """Number of questions from each side."""

    company_count: Maybe[int]
    non_company_count: Maybe[int]


class Interaction(GongModel):
    """Talk times and interaction measures."""

    speakers: Many[Speaker]
    interaction_stats: Many[InteractionStat]
    video: Many[NamedDuration]
    questions: Maybe[Questions]


class Comment(GongModel):
    """A public comment on the call."""

    id: Maybe[Scalar]
    audio_start_time: Maybe[float]
    audio_end_time: Maybe[float]
    commenter_user_id: Maybe[Scalar]
    comment: Maybe[str]
    posted: Maybe[UtcTime]
    in_reply_to: Maybe[Scalar]
    during_call: Maybe[bool]


class Collaboration(GongModel):
    """Comments by colleagues."""

    public_comments: Many[Comment]


class MediaLinks(GongModel):
    """Signed links to the recording, sent only on request."""

    audio_url: Maybe[str]
    video_url: Maybe[str]


class CallHeader(GongModel):
    """The part of a call that its row requires."""

    meta_data: CallKeys


class Call(GongModel):
    """CallData of POST /v2/calls/extensive."""

    meta_data: CallMetaData
    context: Many[Context]
    parties: Many[Party]
    content: Maybe[Content]
    interaction: Maybe[Interaction]
    collaboration: Maybe[Collaboration]
    media: Maybe[MediaLinks]


class Sentence(GongModel):
    """`start` and `end` are milliseconds from the start of the call."""

    start: Sent[Maybe[int]]
    end: Sent[Maybe[int]]
    text: Sent[Maybe[str]]


class Monologue(GongModel):
    """One turn of one speaker; `speaker_id` is null if Gong did not recognize the speaker."""

    speaker_id: Sent[Maybe[Scalar]]
    topic: Maybe[str]
    sentences: Many[Sentence]


class TranscriptHeader(GongModel):
    """The part of a transcript that its row requires. Its day is that of its call."""

    call_id: Sent[Id]


class Transcript(TranscriptHeader):
    """CallTranscript of POST /v2/calls/transcript."""

    transcript: Many[Monologue]


class SpokenLanguage(GongModel):
    """A BCP 47 language tag."""

    language: Maybe[str]
    primary: Maybe[bool]


class UserSettings(GongModel):
    """Recording and import settings of a user."""

    web_conferences_recorded: Maybe[bool]
    prevent_web_conference_recording: Maybe[bool]
    telephony_calls_imported: Maybe[bool]
    emails_imported: Maybe[bool]
    prevent_email_import: Maybe[bool]
    non_recorded_meetings_imported: Maybe[bool]
    gong_connect_enabled: Maybe[bool]


class UserHeader(GongModel):
    """The part of a user that its row requires."""

    id: Sent[Id]


class User(UserHeader):
    """User of GET /v2/users, including avatars (Gong's own staff)."""

    email_address: Sent[Maybe[str]]
    created: Sent[Maybe[UtcTime]]
    active: Sent[Maybe[bool]]
    email_aliases: Many[str]
    trusted_email_address: Maybe[str]
    first_name: Maybe[str]
    last_name: Maybe[str]
    title: Maybe[str]
    phone_number: Maybe[str]
    extension: Maybe[Scalar]
    personal_meeting_urls: Many[str]
    settings: Maybe[UserSettings]
    manager_id: Maybe[Scalar]
    meeting_consent_page_url: Maybe[str]
    spoken_languages: Many[SpokenLanguage]
    conferencing_providers: Any = None
