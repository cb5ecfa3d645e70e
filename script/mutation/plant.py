#!/usr/bin/env python3
"""Plants the bugs of tests/planted/bugs.toml one at a time and demands a failing test for each: `plant.py [SUITE...]`.

First all named tests must be green without a bug. A bug is caught if one of its tests ran and failed: an error of the compiler
catches nothing. What cannot be chosen at run time, such as a modifier, is compiled by itself.
"""

import os
import sys
import tomllib

import schemata
from schemata import ROOT, Mutant, Source


def place(bug: dict, sources: dict[str, Source]) -> Mutant | None:
    """The bug as another text for the smallest place around it, None if it is in none."""
    source = sources[bug["file"]]
    old, new = (bug[key].encode().decode("latin-1") for key in ("old", "new"))
    at = source.text.find(old)
    if at < 0:
        sys.exit(f"{bug['what']}: {bug['file']} no longer says what the bug replaces")
    first = len(os.path.commonprefix([old, new]))
    last = len(os.path.commonprefix([old[first:][::-1], new[first:][::-1]]))
    start, end = at + first, at + len(old) - last
    new = new[first : len(new) - last]
    around = sorted((p for p, _ in source.places if p.start <= start and end <= p.end), key=lambda p: p.end - p.start)
    if not around:
        return None
    # A whole statement if it is a simple one, or else (a condition, the first value of a variable) the whole expression.
    inner = next((i for i, p in enumerate(around) if "statement" in p.kind), len(around))
    simple = inner < len(around) and source.text[around[inner].end - 1] == ";"
    smallest = around[inner if simple or inner == 0 else inner - 1]
    text = source.text[smallest.start : start] + new + source.text[end : smallest.end]
    return Mutant(smallest, text, bug["what"])


def run(bugs: list[dict], mutant: int = 0) -> tuple[set[str], set[str], str]:
    """The tests of these bugs that passed, those that failed, and all that forge said."""
    suites = sorted({bug["suite"] for bug in bugs})
    tests = sorted({test for bug in bugs for test in bug["tests"]})
    said = schemata.forge(
        ["test", "--match-contract", f"^({'|'.join(suites)})Test$", "--match-test", f"^({'|'.join(tests)})\\b"], mutant
    )
    passed, failed = schemata.results(said)
    return passed, failed & set(tests), said.stdout + said.stderr


def is_caught(bug: dict, mutant: int) -> bool:
    passed, failed, said = run([bug], mutant)
    if not passed | failed:
        print(said)
    return bool(failed)


def main(suites: list[str]) -> int:
    bugs = tomllib.loads((ROOT / "tests/planted/bugs.toml").read_text())["bug"]
    bugs = [bug for bug in bugs if not suites or bug["suite"] in suites]
    sources = schemata.read_sources()
    by_file = {source.file: source for source in sources}
    switched = [(bug, mutant) for bug in bugs if (mutant := place(bug, by_file))]
    compiled = [bug for bug in bugs if not place(bug, by_file)]

    schemata.write_copy(sources, [mutant for _, mutant in switched])
    passed, failed, said = run(bugs)
    tests = {test for bug in bugs for test in bug["tests"]}
    if failed or passed != tests:
        sys.exit(f"{said}\nnot green without a bug: {', '.join(sorted(failed | (tests - passed)))}")

    verdicts = []

    def judge(bug: dict, mutant: int) -> None:
        verdicts.append(is_caught(bug, mutant))
        print("caught" if verdicts[-1] else "MISSED", f"{bug['threat']:>3}  {bug['what']} ({bug['suite']})", flush=True)

    for number, (bug, _) in enumerate(switched, 1):
        judge(bug, number)
    for bug in compiled:
        with schemata.replaced(bug["file"], bug["old"], bug["new"]):
            judge(bug, 0)
    print(f"planted: {sum(verdicts)} bugs caught, {len(verdicts) - sum(verdicts)} missed")
    return 0 if verdicts and all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
