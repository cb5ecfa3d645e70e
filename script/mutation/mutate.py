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
# How often a fuzz test runs at first, and on what all suites let pass.
RUNS, MORE_RUNS = 8, schemata.FUZZ_RUNS
FUZZ_TESTS = ["--match-test", "^testFuzz"]
ALL = ["--no-match-contract", schemata.any_of(schemata.OF_GAS)]


class Suites:
    """Which suites notice mutants of which file, and how long they take."""

    def __init__(self) -> None:
        self._noticed: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._seconds: dict[str, float] = {}

    def run_without_a_mutant(self) -> None:
        for chosen, runs in (ALL, RUNS), ([*ALL, *FUZZ_TESTS], MORE_RUNS):
            said = schemata.forge(["test", *chosen], fuzz_runs=runs)
            if said.returncode != 0:
                sys.exit(f"not green without a mutant:\n{said.stdout}{said.stderr}")
            self._seconds = self._seconds or schemata.seconds_by_suite(said)

    def outcome(self, number: int, mutant: Mutant) -> str:
        """`noticed` by which suites, `endless` (which is noticed too) or `MISSED`."""
        noticed = self._noticed[mutant.place.file]
        fast = [suite for suite in self._seconds if self._seconds[suite] < SLOW]
        slow = [suite for suite in self._seconds if self._seconds[suite] >= SLOW]
        likely = [suite for suite, _ in noticed.most_common() if suite in fast][:FIRST]
        rest = [suite for suite in fast if suite not in likely]
        steps = [(["--match-contract", schemata.any_of(suites)], RUNS) for suites in (likely, rest, slow) if suites]
        for chosen, runs in [*steps, ([*ALL, *FUZZ_TESTS], MORE_RUNS)]:
            said = self._test(number, chosen, runs)
            if said is None:
                return "endless"
            passed, failed = schemata.results(said)
            if not passed | failed or (said.returncode != 0 and not failed):
                sys.exit(said.stdout + said.stderr)
            if failed:
                noticed.update(schemata.failing_suites(said))
                return f"noticed by {', '.join(sorted(schemata.failing_suites(said)))}"
        return "MISSED"

    def _test(self, number: int, chosen: list[str], runs: int) -> subprocess.CompletedProcess | None:
        """None if the tests do not end in four times as long as all of them take, nor in forty times."""
        usual = sum(self._seconds.values()) * runs / RUNS
        for times in 4, 40:
            try:
                return schemata.forge(["test", "--fail-fast", *chosen], number, 20 + times * usual, runs)
            except subprocess.TimeoutExpired:
                continue
        return None


def run(sources: list[schemata.Source], mutants: list[Mutant], suites: Suites) -> list[Mutant]:
    """Those that no test notices."""
    schemata.write_copy(sources, mutants)
    # Everything, also what is not run: forge asks the compiler at every start about tests that it has no code of.
    built = schemata.forge(["build"])
    if built.returncode != 0:
        sys.exit("the mutants do not compile:\n" + built.stderr[built.stderr.find("\nError") :])
    suites.run_without_a_mutant()
    missed = []
    for number, mutant in enumerate(mutants, 1):
        outcome = suites.outcome(number, mutant)
        if outcome == "MISSED":
            missed.append(mutant)
        print(f"{number}/{len(mutants)} {mutant.name} -> {outcome}", flush=True)
    return missed


def earlier(files: list[Path], outcome: str = "") -> set[str]:
    """The mutants of whose outcome earlier runs told, or of one outcome."""
    said = "\n".join(path.read_text() for path in files)
    return set(re.findall(rf"^\d+/\d+ (.*) -> {outcome}", said, re.MULTILINE))


def explained() -> set[str]:
    """The first column of the document's tables, which escape what divides the columns."""
    rows = re.findall(r"^\| (.*?) \| .* \|$", DOC.read_text().replace("\\|", "\0"), re.MULTILINE)
    return {row.replace("\0", "|") for row in rows}


def share(text: str) -> tuple[int, int]:
    which, of = map(int, text.split("/"))
    if not 1 <= which <= of:
        raise ValueError
    return which, of


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants whose name contains this")
    parser.add_argument("--missed-in", type=Path, nargs="+", metavar="FILE", help="mutants that these outputs of earlier runs say were missed")
    parser.add_argument("--not-in", type=Path, nargs="+", default=[], metavar="FILE", help="mutants that these outputs say nothing of, to go on")
    parser.add_argument("--sample", type=int, metavar="N", help="this many of them, drawn at random (all)")
    parser.add_argument("--seed", type=int, default=1, help="another one draws others (%(default)s)")
    parser.add_argument("--share", type=share, default=(1, 1), metavar="K/N", help="the k-th of n shares, for a clone of its own")
    parser.add_argument("--at-once", type=int, default=500, metavar="N", help="mutants in one build (%(default)s)")
    parser.add_argument("--list", action="store_true", help="say which there are and do nothing")
    options = parser.parse_args()

    sources = schemata.read_sources()
    mutants = [mutant for mutant in operators.find(sources) if options.only in mutant.name]
    if options.missed_in:
        missed = earlier(options.missed_in, "MISSED")
        mutants = [mutant for mutant in mutants if mutant.name in missed]
    random.Random(options.seed).shuffle(mutants)
    which, of = options.share
    mutants = mutants[: options.sample][which - 1 :: of]
    done = earlier(options.not_in)
    mutants = [mutant for mutant in mutants if mutant.name not in done]
    if options.list:
        print("\n".join(mutant.name for mutant in mutants))
        return 0

    missed, suites = [], Suites()
    for start in range(0, len(mutants), options.at_once):
        missed += run(sources, mutants[start : start + options.at_once], suites)
    known = explained()
    unknown = [mutant.name for mutant in missed if mutant.name not in known]
    for name in unknown:
        print(f"not explained in {DOC.relative_to(ROOT)}: {name}")
    alike = len(missed) - len(unknown)
    print(f"noticed: {len(mutants) - len(missed)} of {len(mutants)} mutants; {alike} of the others are known to change nothing")
    return 0 if mutants and not unknown else 1


if __name__ == "__main__":
    sys.exit(main())
