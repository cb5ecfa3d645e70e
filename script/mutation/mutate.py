#!/usr/bin/env python3
"""Runs the tests of the contracts on mutants of them. Fails if one that is not noticed is missing in docs/mutation-contracts.md.

A mutant is noticed if a test fails, or never ends. Mutants are drawn at random and compiled together, so many at once.
"""

import argparse
import random
import subprocess
import sys
import time

import operators
import schemata
from schemata import ROOT, Mutant

DOC = ROOT / "docs/mutation-contracts.md"
TESTS = ["test", "--fail-fast", "--no-match-contract", schemata.OF_GAS]


def is_noticed(number: int, timeout: float) -> bool:
    try:
        said = schemata.forge(TESTS, number, timeout)
    except subprocess.TimeoutExpired:
        return True
    passed, failed = schemata.results(said)
    if not passed | failed:
        sys.exit(said.stdout + said.stderr)
    return bool(failed) or said.returncode != 0


def run(sources: list[schemata.Source], mutants: list[Mutant]) -> list[Mutant]:
    """Those that no test notices."""
    schemata.write_copy(sources, mutants)
    began = time.monotonic()
    if is_noticed(0, 3600):
        sys.exit("not green without a mutant")
    # As long as compiling and testing took; a mutant needs no compiling.
    timeout = time.monotonic() - began
    missed = []
    for number, mutant in enumerate(mutants, 1):
        noticed = is_noticed(number, timeout)
        if not noticed:
            missed.append(mutant)
        print("noticed" if noticed else "MISSED ", f"{number}/{len(mutants)}", mutant.name, flush=True)
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants whose name contains this")
    parser.add_argument("--sample", type=int, metavar="N", help="this many of them, drawn at random (all)")
    parser.add_argument("--seed", type=int, default=1, help="another one draws others (%(default)s)")
    parser.add_argument("--at-once", type=int, default=500, metavar="N", help="mutants in one build (%(default)s)")
    parser.add_argument("--list", action="store_true", help="say which there are and do nothing")
    options = parser.parse_args()

    sources = schemata.read_sources()
    mutants = [mutant for mutant in operators.find(sources) if options.only in mutant.name]
    random.Random(options.seed).shuffle(mutants)
    mutants = mutants[: options.sample]
    if options.list:
        print("\n".join(mutant.name for mutant in mutants))
        return 0

    missed = []
    for start in range(0, len(mutants), options.at_once):
        missed += run(sources, mutants[start : start + options.at_once])
    # The document escapes what divides the columns of a table.
    explained = DOC.read_text().replace("\\|", "|")
    unknown = [mutant.name for mutant in missed if mutant.name not in explained]
    for name in unknown:
        print(f"not explained in {DOC.relative_to(ROOT)}: {name}")
    alike = len(missed) - len(unknown)
    print(f"noticed: {len(mutants) - len(missed)} of {len(mutants)} mutants; {alike} of the others are known to change nothing")
    return 0 if mutants and not unknown else 1


if __name__ == "__main__":
    sys.exit(main())
