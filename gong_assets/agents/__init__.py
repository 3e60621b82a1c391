"""What agents ask of the finished tables, as typed functions on a `Warehouse`.

    >>> from gong_assets.agents import similar_segments
    >>> from gong_assets.settings import load_settings
    >>> from gong_assets.warehouse.connection import open_warehouse
    >>> similar_segments(open_warehouse(load_settings()), "worried about the price", limit=3)

Each function reads the enriched views with bound parameters only, and returns pydantic models of at most 1,000 rows. What
cannot be asked raises AgentError with one line. Nothing here writes. `mcp_server` offers the same to agents.

Private calls are landed for who may read the tables, if they are (GONG_INCLUDE_PRIVATE_CALLS), and agents ask for anybody:
every statement leaves them out.
"""

from gong_assets.agents.analysis import analyze_call
from gong_assets.agents.coaching import coaching_opportunities
from gong_assets.agents.results import (
    AccountTimeline,
    AgentError,
    CallAnalysis,
    CoachingOpportunity,
    InvalidQuestion,
    NotFound,
    Segment,
    SimilarSegment,
    SimilarSegments,
    TimelineCall,
    Turn,
)
from gong_assets.agents.search import similar_segments
from gong_assets.agents.timeline import account_timeline

__all__ = [
    "AccountTimeline",
    "AgentError",
    "CallAnalysis",
    "CoachingOpportunity",
    "InvalidQuestion",
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
