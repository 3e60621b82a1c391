"""Read-only functions for AI agents over the enriched views.

    >>> from gong_assets.agents import similar_segments
    >>> from gong_assets.settings import load_settings
    >>> from gong_assets.warehouse.connection import open_warehouse
    >>> similar_segments(open_warehouse(load_settings()), "worried about the price", limit=3).segments

Each function binds its arguments as parameters and returns one pydantic model of at most 1,000 rows and about
40,000 characters, with `next_page` if there is more. A request that cannot be answered raises AgentError with
a one-line message. `mcp_server` exposes the same functions as MCP tools.
"""

from gong_assets.agents.account_timeline import account_timeline
from gong_assets.agents.call_analysis import analyze_call
from gong_assets.agents.call_search import similar_segments
from gong_assets.agents.calls import find_calls, read_transcript
from gong_assets.agents.coaching import coaching_opportunities
from gong_assets.agents.deals import deals_at_risk
from gong_assets.agents.directory import find_records
from gong_assets.agents.errors import AgentError, InvalidArgument, NotFound
from gong_assets.agents.paging import compact_json
from gong_assets.agents.results import (
    AccountTimeline,
    Answer,
    Call,
    CallAnalysis,
    Calls,
    CoachingOpportunities,
    CoachingOpportunity,
    DealAtRisk,
    DealsAtRisk,
    Record,
    Records,
    Segment,
    SimilarSegment,
    SimilarSegments,
    TimelineCall,
    Transcript,
    Turn,
)

__all__ = [
    "AccountTimeline",
    "AgentError",
    "Answer",
    "Call",
    "CallAnalysis",
    "Calls",
    "CoachingOpportunities",
    "CoachingOpportunity",
    "DealAtRisk",
    "DealsAtRisk",
    "InvalidArgument",
    "NotFound",
    "Record",
    "Records",
    "Segment",
    "SimilarSegment",
    "SimilarSegments",
    "TimelineCall",
    "Transcript",
    "Turn",
    "account_timeline",
    "analyze_call",
    "coaching_opportunities",
    "compact_json",
    "deals_at_risk",
    "find_calls",
    "find_records",
    "read_transcript",
    "similar_segments",
]
