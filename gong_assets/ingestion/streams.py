"""Registry of the raw streams.

Each stream has one entry. The raw table, asset, checks, jobs, the dbt source (`make generate`) and the scope
that `gong-assets doctor` probes are derived from it.
"""

from __future__ import annotations

from gong_assets.gong import Call, Transcript, User, endpoints, list_endpoint
from gong_assets.ingestion.known_fields import fields_of
from gong_assets.ingestion.stream_types import Cadence, PartitionedStream, RawStream, SnapshotStream
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, RawTable, date_column, id_column, json_column

CALL_STREAM = RawStream(
    table=CALLS,
    endpoint=endpoints.CALLS,
    noun="calls",
    description="Calls with participants, content, interaction and CRM context, one row per call: "
    "POST /v2/calls/extensive. Each run replaces its days completely.",
    fields=fields_of(Call),
)
TRANSCRIPT_STREAM = RawStream(
    table=TRANSCRIPTS,
    endpoint=endpoints.TRANSCRIPTS,
    noun="transcripts",
    description="Transcripts of the landed calls, one row per call: POST /v2/calls/transcript by call ID. "
    "Transcripts that Gong has not finished are requested again by the sensor for missing transcripts.",
    fields=fields_of(Transcript),
)

RAW_STREAMS: tuple[RawStream, ...] = (
    CALL_STREAM,
    TRANSCRIPT_STREAM,
    SnapshotStream(
        table=RawTable(
            "GONG_USERS_RAW",
            "Users from GET /v2/users.",
            key=id_column("USER_ID", "Gong's user id."),
            payload=json_column("One element of users[] of GET /v2/users."),
        ),
        endpoint=endpoints.USERS,
        noun="users",
        description="All users, including avatars (Gong's own staff), one row per user: GET /v2/users.",
        fields=fields_of(User),
        cadence=Cadence.WITH_CALLS,
        custom_request=lambda gong, workspace_id: gong.users(),
    ),
    SnapshotStream(
        table=RawTable(
            "GONG_WORKSPACES_RAW",
            "Workspaces from GET /v2/workspaces.",
            key=id_column("WORKSPACE_ID", "Gong's workspace id."),
            payload=json_column("One element of workspaces[] of GET /v2/workspaces."),
        ),
        endpoint=list_endpoint(
            "/v2/workspaces", list_key="workspaces", id_key="id", scope="api:workspaces:read"
        ),
        noun="workspaces",
        description="The company's workspaces, one row each: GET /v2/workspaces.",
        fields={"id": "scalar!", "name": "text!", "description": "text"},
    ),
    SnapshotStream(
        table=RawTable(
            "GONG_CALL_OUTCOMES_RAW",
            "Call outcomes from GET /v2/call-outcomes.",
            key=id_column("CALL_OUTCOME", "Name of the outcome. Gong lists no id."),
            payload=json_column("One element of outcomes[] of GET /v2/call-outcomes."),
        ),
        endpoint=list_endpoint(
            "/v2/call-outcomes", list_key="outcomes", id_key="callOutcome", scope="api:call-outcomes:read"
        ),
        noun="call outcomes",
        description="The outcomes that a user can select at the end of a call, one row each: "
        "GET /v2/call-outcomes.",
        fields={
            "callOutcome": "text!",
            "displayOrder": "number",
            "connectStatus": "text",
            "sentiment": "text",
            "todoAction": "text",
            "automation": "text",
            "category": "text",
        },
    ),
    SnapshotStream(
        table=RawTable(
            "GONG_TRACKERS_RAW",
            "Keyword trackers from GET /v2/settings/trackers.",
            key=id_column("TRACKER_ID", "Gong's tracker id."),
            payload=json_column("One element of keywordTrackers[] of GET /v2/settings/trackers."),
        ),
        endpoint=list_endpoint(
            "/v2/settings/trackers",
            list_key="keywordTrackers",
            id_key="trackerId",
            scope="api:settings:trackers:read",
        ),
        noun="trackers",
        description="Keyword trackers, one row each: GET /v2/settings/trackers. Gong does not list smart "
        "trackers.",
        by_workspace=True,
        fields={
            "trackerId": "scalar!",
            "trackerName": "text!",
            "workspaceId": "scalar",
            "languageKeywords": [
                {"language": "text", "keywords": ["text!"], "includeRelatedForms": "boolean"}
            ],
            "affiliation": "text",
            "partOfQuestion": "boolean",
            "saidAt": "text",
            "saidAtInterval": "number",
            "saidAtUnit": "text",
            "saidInTopics": ["text"],
            "filterQuery": "text",
            "created": "text",
            "creatorUserId": "scalar",
            "updated": "text",
            "updaterUserId": "scalar",
        },
    ),
    SnapshotStream(
        table=RawTable(
            "GONG_SCORECARDS_RAW",
            "Scorecard definitions from GET /v2/settings/scorecards.",
            key=id_column("SCORECARD_ID", "Gong's scorecard id."),
            payload=json_column("One element of scorecards[] of GET /v2/settings/scorecards."),
        ),
        endpoint=list_endpoint(
            "/v2/settings/scorecards",
            list_key="scorecards",
            id_key="scorecardId",
            scope="api:settings:scorecards:read",
        ),
        noun="scorecards",
        description="Scorecards with their questions, one row per scorecard: GET /v2/settings/scorecards.",
        fields={
            "scorecardId": "scalar!",
            "scorecardName": "text!",
            "workspaceId": "scalar",
            "enabled": "boolean",
            "updaterUserId": "scalar",
            "created": "text",
            "updated": "text",
            "reviewMethod": "text",
            "questions": [
                {
                    "questionId": "scalar!",
                    "questionRevisionId": "scalar",
                    "questionText": "text!",
                    "isOverall": "boolean",
                    "questionType": "text",
                    "answerGuide": "text",
                    "minRange": "scalar",
                    "maxRange": "scalar",
                    "answerOptions": [{"id": "scalar", "text": "text"}],
                    "created": "text",
                    "updated": "text",
                    "updaterUserId": "scalar",
                }
            ],
        },
    ),
    PartitionedStream(
        table=RawTable(
            "GONG_ANSWERED_SCORECARDS_RAW",
            "Reviews of calls from POST /v2/stats/activity/scorecards.",
            key=id_column("ANSWERED_SCORECARD_ID", "Gong's id of the review."),
            payload=json_column("One element of answeredScorecards[] of POST /v2/stats/activity/scorecards."),
            partition=date_column("REVIEW_DATE", "UTC date of the review: the daily partition."),
        ),
        endpoint=endpoints.ANSWERED_SCORECARDS,
        noun="answered scorecards",
        description="Reviews of calls by people and by Gong's AI, one row per review, partitioned by review "
        "date: POST /v2/stats/activity/scorecards.",
        request=lambda gong, days: gong.answered_scorecards(days.start, days.end),
        fields={
            "answeredScorecardId": "scalar!",
            "scorecardId": "scalar!",
            "scorecardName": "text",
            "callId": "scalar!",
            "callStartTime": "text",
            "reviewedUserId": "scalar",
            "reviewerUserId": "scalar",
            "reviewMethod": "text",
            "editorUserId": "scalar",
            "reviewTime": "text!",
            "visibilityType": "text",
            "answers": [
                {
                    "questionId": "scalar!",
                    "questionRevisionId": "scalar",
                    "isOverall": "boolean",
                    "score": "number",
                    "answerText": "text",
                    "notApplicable": "boolean",
                    "selectedOptions": ["scalar"],
                }
            ],
        },
    ),
    SnapshotStream(
        table=RawTable(
            "GONG_LIBRARY_CALLS_RAW",
            "Calls in the public folders of the library, each with its folder.",
            key=id_column(
                "LIBRARY_CALL_ID",
                "Folder id and call id, joined by /. A snippet adds its first and last second, as /10-30.",
            ),
            payload=json_column(
                "`folder`: one element of folders[] of GET /v2/library/folders. `call`: one element of "
                "calls[] of GET /v2/library/folder-content."
            ),
        ),
        endpoint=endpoints.FOLDER_CONTENT,
        noun="library calls",
        description="The calls and snippets in the library's public folders, one row each: "
        "GET /v2/library/folders and, for each folder, GET /v2/library/folder-content.",
        custom_request=lambda gong, workspace_id: gong.calls_in_library(workspace_id),
        fields={
            "folder": {
                "id": "scalar!",
                "name": "text",
                "parentFolderId": "scalar",
                "createdBy": "scalar",
                "updated": "text",
            },
            "call": {
                "id": "scalar!",
                "title": "text",
                "note": "text",
                "addedBy": "scalar",
                "created": "text",
                "url": "text",
                "snippet": {"fromSec": "number", "toSec": "number"},
            },
        },
    ),
    PartitionedStream(
        table=RawTable(
            "GONG_INTERACTION_STATS_RAW",
            "Daily interaction statistics of each user from POST /v2/stats/interaction.",
            key=id_column("INTERACTION_STATS_ID", "Day and user id, joined by /."),
            payload=json_column(
                "One element of peopleInteractionStats[] of POST /v2/stats/interaction, requested for one "
                "day."
            ),
            partition=date_column("STATS_DATE", "Day in the company's time zone: the daily partition."),
        ),
        endpoint=endpoints.INTERACTION_STATS,
        noun="interaction stats",
        description="Interaction measures of each user, averaged over a day's calls, one row per user and "
        "day: POST /v2/stats/interaction, one request for each day. Days are in the company's time zone; a "
        "day that may not have ended is left to a later run.",
        request=lambda gong, days: gong.interaction_stats(list(days)),
        complete_days_only=True,
        fields={
            "userId": "scalar!",
            "userEmailAddress": "text",
            "personInteractionStats": [{"name": "text!", "value": "number!"}],
        },
    ),
    PartitionedStream(
        table=RawTable(
            "GONG_USER_ACTIVITY_RAW",
            "Daily activity of each user from POST /v2/stats/activity/day-by-day.",
            key=id_column("USER_ACTIVITY_ID", "Day and user id, joined by /."),
            payload=json_column(
                "One element of usersDetailedActivities[] of POST /v2/stats/activity/day-by-day, with one "
                "day in its userDailyActivityStats[]."
            ),
            partition=date_column("ACTIVITY_DATE", "Day in the company's time zone: the daily partition."),
        ),
        endpoint=endpoints.USER_ACTIVITY,
        noun="user activity",
        description="Each user's activity on calls, one row per user and day: "
        "POST /v2/stats/activity/day-by-day. Days are in the company's time zone; a day that may not have "
        "ended is left to a later run.",
        request=lambda gong, days: gong.user_activity(days.start, days.end),
        complete_days_only=True,
        fields={
            "userId": "scalar!",
            "userEmailAddress": "text",
            "userDailyActivityStats": [
                {
                    "callsAsHost": ["scalar"],
                    "callsGaveFeedback": ["scalar"],
                    "callsRequestedFeedback": ["scalar"],
                    "callsReceivedFeedback": ["scalar"],
                    "ownCallsListenedTo": ["scalar"],
                    "othersCallsListenedTo": ["scalar"],
                    "callsSharedInternally": ["scalar"],
                    "callsSharedExternally": ["scalar"],
                    "callsAttended": ["scalar"],
                    "callsCommentsGiven": ["scalar"],
                    "callsCommentsReceived": ["scalar"],
                    "callsMarkedAsFeedbackGiven": ["scalar"],
                    "callsMarkedAsFeedbackReceived": ["scalar"],
                    "callsScorecardsFilled": ["scalar"],
                    "callsScorecardsReceived": ["scalar"],
                    "fromDate": "text!",
                    "toDate": "text",
                }
            ],
        },
    ),
)

PARTITIONED_STREAMS = tuple(stream for stream in RAW_STREAMS if isinstance(stream, PartitionedStream))
SNAPSHOT_STREAMS = tuple(stream for stream in RAW_STREAMS if isinstance(stream, SnapshotStream))

RAW_TABLES = tuple(stream.table for stream in RAW_STREAMS)
