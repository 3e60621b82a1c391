"""Columns and tables of each source that differ from those of Gong's API, for the same tenant.

docs/sources.md describes them. Everything else is equal, row by row.
"""

from __future__ import annotations

from collections.abc import Mapping

# Times at which something was read or sent, and the hash of a record's bytes.
RUN_COLUMNS = frozenset(
    {
        "INGESTED_AT", "CORTEX_PROCESSED_AT", "FIRST_PROCESSED_AT", "WORDLESS_TRANSCRIPT_LANDED_AT",
        "LAST_REFRESHED", "CALL_LANDED_AT",
    }
)  # fmt: skip

# Tables that the source does not fill, or fills with other rows.
ABSENT: Mapping[str, frozenset[str]] = {
    "airbyte": frozenset(
        {
            "STG_GONG_CALL_OUTCOMES", "STG_GONG_INTERACTION_STATS", "STG_GONG_LIBRARY_CALLS",
            "STG_GONG_TRACKERS", "STG_GONG_TRACKER_KEYWORDS", "STG_GONG_USER_ACTIVITY", "STG_GONG_WORKSPACES",
        }
    ),
    "fivetran": frozenset(
        {
            "STG_GONG_CALL_OUTCOMES", "STG_GONG_INTERACTION_STATS", "STG_GONG_LIBRARY_CALLS",
            "STG_GONG_TRACKERS", "STG_GONG_TRACKER_KEYWORDS", "STG_GONG_USER_ACTIVITY",
        }
    ),
    "data_cloud": frozenset(
        {
            "STG_GONG_CALL_OUTCOMES", "STG_GONG_INTERACTION_STATS", "STG_GONG_LIBRARY_CALLS",
            "STG_GONG_TRACKERS", "STG_GONG_TRACKER_KEYWORDS", "STG_GONG_USER_ACTIVITY", "STG_GONG_WORKSPACES",
            "STG_GONG_ANSWERED_SCORECARDS", "STG_GONG_SCORECARDS", "STG_GONG_SCORECARD_ANSWERS",
            "STG_GONG_SCORECARD_QUESTIONS", "STG_GONG_CALL_COMMENTS", "STG_GONG_CALL_CRM_LINKS",
            "STG_GONG_CALL_PARTICIPANTS", "STG_GONG_CALL_TOPICS", "STG_GONG_CALL_TRACKER_OCCURRENCES",
            # Calls without Gong's topics and next steps are sent to Cortex for them.
            "CORTEX_GONG_CALL_INSIGHTS",
        }
    ),
}  # fmt: skip

# Which deal it is, and what Gong's CRM context says of it, which counts if HubSpot lacks the deal.
_DEAL = frozenset(
    {
        "HUBSPOT_DEAL_ID", "CRM_OPPORTUNITY_ID", "DEAL_NAME", "DEAL_STAGE", "DEAL_VALUE", "DEAL_AMOUNT",
        "DEAL_CURRENCY_CODE", "DEAL_AMOUNT_IN_HOME_CURRENCY", "DEALS", "CLOSE_DATE", "PIPELINE_NAME",
        "DEAL_STATUS", "DEAL_OUTCOME", "DAYS_TO_CLOSE",
    }
)  # fmt: skip
_FIVETRAN_CALLS = _DEAL | {"NEXT_STEPS", "NEXT_STEPS_SOURCE"}
_DATA_CLOUD_CALLS = _DEAL | {
    "HUBSPOT_CONTACT_ID", "HUBSPOT_COMPANY_ID", "CRM_ACCOUNT_ID", "ACCOUNT_NAME", "CONTACT_NAME",
    "FIRST_NAME", "LAST_NAME", "EMAIL", "COMPANY_NAME", "JOB_TITLE", "LIFECYCLE_STAGE", "CRM_DEAL_COUNT",
    "TEAM_TALK_RATIO", "CUSTOMER_COUNT", "KEY_TOPICS", "KEY_TOPICS_SOURCE", "NEXT_STEPS",
    "NEXT_STEPS_SOURCE", "RISK_INDICATORS",
}  # fmt: skip

# By table: the columns that differ. `*` is every table.
DIFFERENT: Mapping[str, Mapping[str, frozenset[str]]] = {
    "airbyte": {
        "STG_GONG_ANSWERED_SCORECARDS": frozenset({"REVIEW_METHOD", "CONTENT_HASH"}),
        "STG_GONG_SCORECARDS": frozenset({"REVIEW_METHOD", "CONTENT_HASH"}),
        "STG_GONG_USERS": frozenset({"CONTENT_HASH"}),
    },
    "fivetran": {
        "STG_GONG_ANSWERED_SCORECARDS": frozenset({"CONTENT_HASH"}),
        # One timing of each CRM object, and no order of the objects.
        "STG_GONG_CALL_CRM_LINKS": frozenset(
            {
                "LISTED_ORDER", "IS_LINKED_AT_CALL", "IS_LINKED_NOW", "FIELDS_AT_CALL", "FIELDS_NOW",
                "STAGE_AT_CALL", "AMOUNT_AT_CALL", "CURRENCY_CODE_AT_CALL", "PREFERENCE",
            }
        ),
        "STG_GONG_CALL_PARTICIPANTS": frozenset({"PARTY_INDEX"}),
        "STG_GONG_CALL_TOPICS": frozenset({"PHRASES"}),
        "STG_GONG_CALLS": _FIVETRAN_CALLS | {
            "ACTION_ITEMS", "OUTLINE", "HIGHLIGHTS", "CALL_STRUCTURE", "CONTENT_HASH",
        },
        "STG_GONG_SCORECARDS": frozenset({"CONTENT_HASH"}),
        "STG_GONG_SCORECARD_ANSWERS": frozenset({"ANSWER_INDEX"}),
        "STG_GONG_SCORECARD_QUESTIONS": frozenset({"QUESTION_INDEX"}),
        "STG_GONG_USERS": frozenset({"EMAIL_ALIASES", "CONTENT_HASH"}),
        # Calls whose next steps are in Gong's outline or highlights only are sent to Cortex for them.
        "CORTEX_GONG_CALL_INSIGHTS": frozenset({"added"}),
        "VW_ENRICHED_GONG_CALLS": _FIVETRAN_CALLS,
        "VW_ENRICHED_GONG_CALL_TRANSCRIPTS": _FIVETRAN_CALLS,
    },
    "data_cloud": {
        "STG_GONG_CALLS": _DATA_CLOUD_CALLS | {
            "MEETING_URL", "PRESENTATION_SECONDS", "BROWSER_SECONDS", "HOST_WEBCAM_SECONDS",
            "CUSTOMER_WEBCAM_SECONDS", "WEBCAM_SECONDS", "ACTION_ITEMS", "OUTLINE", "HIGHLIGHTS",
            "CALL_STRUCTURE", "CALL_OUTCOME_CATEGORY", "CALL_OUTCOME_ID", "CALL_PURPOSE", "CALENDAR_EVENT_ID",
            "CLIENT_UNIQUE_ID", "CUSTOM_DATA", "CONTENT_HASH",
        },
        "STG_GONG_USERS": frozenset({"EMAIL_ALIASES", "CONTENT_HASH"}),
        "VW_ENRICHED_GONG_CALLS": _DATA_CLOUD_CALLS,
        "VW_ENRICHED_GONG_CALL_TRANSCRIPTS": _DATA_CLOUD_CALLS,
    },
}  # fmt: skip
