#!/usr/bin/env python3
"""Runs the tests of the contracts on mutants of them. Fails if one that is not noticed is missing in docs/mutation-contracts.md.

A mutant is noticed if a test fails, or never ends. Mutants are drawn at random and compiled together, so many at once. The suites that
noticed others of the same file go first, then the rest, the slow ones last; then fuzz tests run more often. Each is asked only about
what those before it let pass.
"""

import argparse
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import operators
import schemata
from schemata import ROOT, Mutant

DOC = ROOT / "docs/mutation-contracts.md"

# How many suites that noticed other mutants of a file go first.
FIRST = 4
# Suites that take so many seconds of processor time go after the others.
SLOW = 2.0
# How often a fuzz test runs on what all suites let pass.
MORE_RUNS = 64


class Suites:
    """Which suites notice mutants of which file, and how long they take."""

    def __init__(self) -> None:
        self._noticed: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._seconds: dict[str, float] = {}

    def run_without_a_mutant(self) -> None:
        said = schemata.forge(["test", "--no-match-contract", schemata.any_of(schemata.OF_GAS)])
        if said.returncode != 0:
            sys.exit(f"not green without a mutant:\n{said.stdout}{said.stderr}")
        self._seconds = schemata.seconds_by_suite(said)

    def outcome(self, number: int, mutant: Mutant) -> str:
        """How a mutant ends: `noticed`, `endless` (which is noticed too) or `MISSED`."""
        noticed = self._noticed[mutant.place.file]
        fast = [suite for suite in self._seconds if self._seconds[suite] < SLOW]
        slow = [suite for suite in self._seconds if self._seconds[suite] >= SLOW]
        likely = [suite for suite, _ in noticed.most_common() if suite in fast][:FIRST]
        steps = [(["--match-contract", schemata.any_of(suites)], schemata.FUZZ_RUNS, suites) for suites in (likely, fast, slow) if suites]
        steps += [(["--match-test", "^testFuzz"], MORE_RUNS, self._seconds)]
        for chosen, fuzz_runs, suites in steps:
            timeout = 20 + 4 * sum(self._seconds[suite] for suite in suites) * fuzz_runs / schemata.FUZZ_RUNS
            try:
                said = schemata.forge(["test", "--fail-fast", *chosen], number, timeout, fuzz_runs)
            except subprocess.TimeoutExpired:
                return "endless"
            if not any(schemata.results(said)):
                sys.exit(said.stdout + said.stderr)
            noticed.update(schemata.failing_suites(said))
            if said.returncode != 0:
                return "noticed"
        return "MISSED"


def run(sources: list[schemata.Source], mutants: list[Mutant], done: int, suites: Suites) -> list[Mutant]:
    """Those that no test notices, without the first ones that are done."""
    schemata.write_copy(sources, mutants)
    # Everything, also what is not run: forge asks the compiler at every start about tests that it has no code of.
    if schemata.forge(["build"]).returncode != 0:
        sys.exit("the mutants do not compile: `FOUNDRY_PROFILE=mutation forge build` in cache/mutation says why")
    suites.run_without_a_mutant()
    missed = []
    for number, mutant in list(enumerate(mutants, 1))[done:]:
        outcome = suites.outcome(number, mutant)
        if outcome == "MISSED":
            missed.append(mutant)
        print(f"{outcome:7} {number}/{len(mutants)} {mutant.name}", flush=True)
    return missed


def share(text: str) -> tuple[int, int]:
    which, of = map(int, text.split("/"))
    if not 1 <= which <= of:
        raise ValueError
    return which, of


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants whose name contains this")
    parser.add_argument("--missed-in", type=Path, nargs="*", metavar="FILE", help="mutants that these outputs of earlier runs say were missed")
    parser.add_argument("--sample", type=int, metavar="N", help="this many of them, drawn at random (all)")
    parser.add_argument("--seed", type=int, default=1, help="another one draws others (%(default)s)")
    parser.add_argument("--share", type=share, default=(1, 1), metavar="K/N", help="the k-th of n shares, for a clone of its own")
    parser.add_argument("--at-once", type=int, default=500, metavar="N", help="mutants in one build (%(default)s)")
    parser.add_argument("--done", type=int, default=0, metavar="N", help="the first so many were tried before (%(default)s)")
    parser.add_argument("--list", action="store_true", help="say which there are and do nothing")
    options = parser.parse_args()

    sources = schemata.read_sources()
    mutants = [mutant for mutant in operators.find(sources) if options.only in mutant.name]
    if options.missed_in:
        said = "\n".join(path.read_text() for path in options.missed_in)
        names = set(re.findall(r"^MISSED +\S+ (.*)$", said, re.MULTILINE))
        mutants = [mutant for mutant in mutants if mutant.name in names]
    random.Random(options.seed).shuffle(mutants)
    share_of, shares = options.share
    mutants = mutants[: options.sample][share_of - 1 :: shares]
    if options.list:
        print("\n".join(mutant.name for mutant in mutants))
        return 0

    missed, suites = [], Suites()
    for start in range(0, len(mutants), options.at_once):
        group, done = mutants[start : start + options.at_once], max(0, options.done - start)
        if done < len(group):
            missed += run(sources, group, done, suites)
    # The document escapes what divides the columns of a table.
    explained = DOC.read_text().replace("\\|", "|")
    unknown = [mutant.name for mutant in missed if mutant.name not in explained]
    for name in unknown:
        print(f"not explained in {DOC.relative_to(ROOT)}: {name}")
    tried, alike = len(mutants) - options.done, len(missed) - len(unknown)
    print(f"noticed: {tried - len(missed)} of {tried} mutants; {alike} of the others are known to change nothing")
    return 0 if mutants and not unknown else 1


if __name__ == "__main__":
    sys.exit(main())
