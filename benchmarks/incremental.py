"""Duration of staging one day after 300 days of history, compared with 30 days.

    python benchmarks/incremental.py [--days 30 300] [--calls-per-day 20] [--rounds 7] [--with-cortex]

Two local warehouses contain landed and staged calls of these days. In each round, both stage their newest day
again with the dbt command of the graph, including the tests of the models. Prints medians, and the median
ratio of the rounds: of the whole command, most of which is the start of dbt; of all models and all tests, by
the times that dbt reports; and of each model and each kind of test.

`--with-cortex` includes the Cortex layer. The first run then embeds every segment on this machine, which
takes minutes per 10,000 segments, so reduce the number of sentences.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from statistics import median

from landed_days import STAGED, dbt, is_model, land, name_of, say, stack_in

from gong_assets.dates import DateRange
from gong_assets.defs.dbt.assets import build_command
from gong_assets.warehouse.connection import Warehouse

LAST_DAY = date(2026, 10, 30)

# Seconds by command, model or kind of test.
Times = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--days", type=int, nargs=2, default=(30, 300), metavar="N", help="days of history (default: 30 300)"
    )
    parser.add_argument("--calls-per-day", type=int, default=20, help="calls per day (default: 20)")
    parser.add_argument(
        "--sentences-per-call", type=int, default=150, help="sentences per call (default: 150)"
    )
    parser.add_argument("--rounds", type=int, default=7, help="rounds after a warm-up (default: 7)")
    parser.add_argument("--with-cortex", action="store_true", help="include the Cortex layer")
    options = parser.parse_args()
    select = "tag:partitioned" if options.with_cortex else STAGED
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stacks:
        warehouses: dict[int, tuple[Path, Warehouse]] = {}
        for count in options.days:
            home = Path(directory) / f"{count}-days"
            warehouse = stacks.enter_context(stack_in(home))
            say(f"{count} days: landing")
            days = [LAST_DAY - timedelta(days=back) for back in reversed(range(count))]
            with warehouse.connect() as connection:
                land(
                    connection,
                    days,
                    calls_per_day=options.calls_per_day,
                    sentences_per_call=options.sentences_per_call,
                )
            say(f"{count} days: staging")
            seconds, _ = dbt(home, warehouse, *build_command(None), "--select", select)
            say(f"{count} days: staged in {seconds:.0f} s")
            warehouses[count] = home, warehouse
        rounds: dict[int, list[Times]] = {count: [] for count in options.days}
        for number in range(options.rounds + 1):
            for count, (home, warehouse) in warehouses.items():
                taken = stage_newest_day(home, warehouse, select)
                if number:  # The first round fills caches.
                    rounds[count].append(taken)
            say(f"round {number} of {options.rounds}")
    show(rounds)


def stage_newest_day(home: Path, warehouse: Warehouse, select: str) -> Times:
    command = [*build_command(DateRange.single(LAST_DAY)), "--select", select]
    seconds, results = dbt(home, warehouse, *command)
    taken: Times = defaultdict(float, {"whole command": seconds})
    for result in results:
        taken["models" if is_model(result) else "tests"] += result["execution_time"]
    for result in results:
        if is_model(result):
            taken[f"  {name_of(result)}"] = result["execution_time"]
    kinds: Times = defaultdict(float)
    for result in results:
        if not is_model(result):
            kinds[f"  tests {name_of(result).split('_')[0]}"] += result["execution_time"]
    return {**taken, **kinds}


def show(rounds: dict[int, list[Times]]) -> None:
    few, many = rounds
    print(
        f"{'':44}{f'{few} days':>12}{f'{many} days':>12}{'ratio':>8}   "
        f"(seconds, medians of {len(rounds[few])} rounds)"
    )
    for name in rounds[few][0]:
        short, long = ([taken[name] for taken in rounds[count]] for count in (few, many))
        ratio = median(after / before for before, after in zip(short, long, strict=True))
        print(f"{name:44}{median(short):12.2f}{median(long):12.2f}{ratio:8.2f}")


if __name__ == "__main__":
    main()
