"""What agents ask of the finished tables, as typed functions on a `Warehouse`.

    >>> from gong_assets.agents import similar_segments
    >>> from gong_assets.settings import load_settings
    >>> from gong_assets.warehouse.connection import open_warehouse
    >>> similar_segments(open_warehouse(load_settings()), "worried about the price", limit=3)

Each function reads the enriched views with bound parameters only, and returns pydantic models. Nothing here writes.
"""

from gong_assets.agents.analysis import analyze_call
from gong_assets.agents.coaching import coaching_opportunities
from gong_assets.agents.results import AgentError, CallAnalysis, CoachingOpportunity, NotFound, Segment
from gong_assets.agents.search import similar_segments

__all__ = [
    "AgentError",
    "CallAnalysis",
    "CoachingOpportunity",
    "NotFound",
    "Segment",
    "analyze_call",
    "coaching_opportunities",
    "similar_segments",
]
