"""Prints criterion's samples as the table of docs/clearing-speed.md.

Of the samples of a measurement the fastest counts: other work on the machine can only make a sample slower.
"""

import json
import sys
from pathlib import Path

MECHANISMS = ("core", "average-fee")
FEES = ("even", "hidden", "wide")


def fastest(home, fees, name, bids):
    """Milliseconds of the fastest sample, or None if it was not measured."""
    path = Path(home) / fees / name.replace("/", "_") / str(bids) / "new" / "sample.json"
    if not path.exists():
        return None
    sample = json.loads(path.read_text())
    return min(time / count for time, count in zip(sample["times"], sample["iters"])) / 1e6


def rows(home):
    for fees in FEES:
        for bids in (10**power for power in range(4, 8)):
            floor = fastest(home, fees, "floor", bids)
            for mechanism in MECHANISMS:
                for work in ("decide", "clear"):
                    plain, fast = (fastest(home, fees, f"{mechanism}/{work}/{way}", bids) for way in ("plain", "fast"))
                    if None not in (floor, plain, fast):
                        yield fees, bids, mechanism, work, floor, plain, fast


def main(home):
    print("| fees | bids | mechanism | work | floor, ms | plain, ms | fast, ms | plain / fast | fast / floor |")
    print("|---|---|---|---|---|---|---|---|---|")
    for fees, bids, mechanism, work, floor, plain, fast in rows(home):
        times = " | ".join(f"{time:.3f}" for time in (floor, plain, fast))
        print(f"| {fees} | {bids:,} | {mechanism} | {work} | {times} | {plain / fast:.1f} | {fast / floor:.1f} |")


if __name__ == "__main__":
    main(sys.argv[1])
