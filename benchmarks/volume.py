"""Duration of the whole graph over thousands of calls of the simulated tenant, by layer.

    python benchmarks/volume.py [--days 14] [--calls-per-day 475] [--words-per-call 80]

The defaults generate about 5,000 calls with 440,000 words. The raw layer is limited by Gong's 3 requests per
second, and the Cortex layer by the embedding model that stands in for AI_EMBED.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--calls-per-day", type=int, default=475)
    parser.add_argument("--words-per-call", type=int, default=80)
    options = parser.parse_args()
    last = datetime.now(UTC).date() - timedelta(days=1)
    first = last - timedelta(days=options.days - 1)
    command = Path(sys.executable).with_name("gong-assets")
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "GONG_ASSETS_HOME": home,
            "GONG_ASSETS_TARGET": "local",
            "GONG_ASSETS_LOCAL_CALLS_PER_DAY": str(options.calls_per_day),
            "GONG_ASSETS_LOCAL_WORDS_PER_CALL": str(options.words_per_call),
        }
        words = (
            "SELECT COUNT(DISTINCT CALL_ID) AS CALLS, SUM(WORD_COUNT) AS WORDS FROM STG_GONG_CALL_TRANSCRIPTS"
        )
        span = ["--from-date", first.isoformat(), "--to-date", last.isoformat()]
        try:
            for title, arguments in (
                ("first run", ["sync", *span]),
                ("the same days again", ["sync", *span]),
                ("transcribed", ["sql", words]),
            ):
                print(f"\n{title}", flush=True)
                subprocess.run([command, *arguments], env=environment, stderr=subprocess.DEVNULL, check=True)
        finally:
            subprocess.run([command, "local", "down"], env=environment, check=False)


if __name__ == "__main__":
    main()
