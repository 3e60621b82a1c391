"""Read-only functions for AI agents over the enriched views.

    >>> from gong_assets.agents import similar_segments
    >>> from gong_assets.settings import load_settings
    >>> from gong_assets.warehouse.connection import open_warehouse
    >>> similar_segments(open_warehouse(load_settings()), "worried about the price", limit=3)

Each function binds its arguments as parameters and returns pydantic models of at most 1,000 rows. A request
that cannot be answered raises AgentError with a one-line message. `mcp_server` exposes the same functions as
MCP tools.
"""

from gong_assets.agents.account_timeline import account_timeline
from gong_assets.agents.call_analysis import analyze_call
from gong_assets.agents.call_search import similar_segments
from gong_assets.agents.coaching import coaching_opportunities
from gong_assets.agents.errors import AgentError, InvalidArgument, NotFound
from gong_assets.agents.results import (
    AccountTimeline,
    CallAnalysis,
    CoachingOpportunity,
    Segment,
    SimilarSegment,
    SimilarSegments,
    TimelineCall,
    Turn,
)

__all__ = [
    "AccountTimeline",
    "AgentError",
    "CallAnalysis",
    "CoachingOpportunity",
    "InvalidArgument",
    "NotFound",
    "Segment",
    "SimilarSegment",
    "SimilarSegments",
    "TimelineCall",
    "Turn",
    "account_timeline",
    "analyze_call",
    "coaching_opportunities",
    "similar_segments",
]
