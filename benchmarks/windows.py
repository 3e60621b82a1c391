"""Seconds and requests that a window of calls takes at Gong's rate limit, in virtual time.

    python benchmarks/windows.py [--latency 0.4 1 3] [--shape NAME ...] [--with-transcripts]

No request leaves the process and nothing is waited for: the client runs on an event loop whose clock jumps to
the next event, against a server that takes `latency` seconds for each page. So the figures are exact and the
same on every machine.

Each line shows the seconds, the requests (and the fewest possible ones, for full pages), the ratio of the
seconds to the time of a client that sends as many requests at the limit from the first moment on, and the
requests in flight.
"""

from __future__ import annotations

import argparse

from gong_assets_tests.gong.shapes import SHAPES, measure


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--latency", type=float, nargs="+", default=[0.4, 1, 3], help="seconds for a page")
    parser.add_argument("--shape", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    parser.add_argument("--with-transcripts", action="store_true", help="read the calls' transcripts too")
    options = parser.parse_args()
    print("| calls | latency | seconds | requests | ratio | in flight |\n|---|---|---|---|---|---|")
    for shape in options.shape:
        days, starts = SHAPES[shape]
        for latency in options.latency:
            taken = measure(days, starts, latency, with_transcripts=options.with_transcripts)
            print(
                f"| {shape} | {latency:g} | {taken.seconds:.1f} | {taken.requests} ({taken.fewest}) "
                f"| {taken.ratio:.2f} | {taken.peak} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
