"""Runs halmos on the checks of tests/symbolic and sums up what it found: `symbolic.py [quick] [CONTRACT...]`.

A check passes if it was proved for every path. One that timed out, that no path of ran to its end, or whose loops were cut short has
failed, and so has one that was not run. `make symbolic` installs what is needed.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHECKS = ROOT / "tests/symbolic"
BIN = Path(sys.executable).parent

# What `.ci/run` does: less than three minutes together on two cores.
QUICK = ["LanesSymbolic", "EnteringSymbolic", "PackingSymbolic", "OffersSymbolic", "HashesSymbolic", "WinnersSymbolic", "PhasesSymbolic"]

SOLVER = f"{sys.executable} {ROOT / 'script/tools/solve.py'}"

VERDICTS = {0: "passed", 1: "FALSE", 2: "TIMED OUT", 3: "STUCK", 4: "NO PATH ENDS", 5: "ERROR"}
TIMED_OUT = 2


def declared() -> dict[str, list[str]]:
    """The checks of each contract, as its source has them."""
    checks: dict[str, list[str]] = {}
    for file in sorted(CHECKS.glob("*.t.sol")):
        contract = ""
        for line in file.read_text().splitlines():
            if found := re.match(r"(?:abstract )?contract (\w+)", line):
                contract = found[1]
            if found := re.match(r"\s+function (check_\w+)", line):
                checks.setdefault(contract, []).append(found[1])
    return checks


def run(contracts: list[str]) -> dict[str, tuple[int, bool, float]]:
    """What halmos says of each check: its exit code, whether a loop was cut short, and seconds."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        environment = os.environ | {
            "FOUNDRY_PROFILE": "symbolic",
            "PATH": os.pathsep.join([str(BIN), str(ROOT / "script/tools"), os.environ["PATH"]]),
            # halmos leaves queries that timed out where it is told is temporary.
            "TMPDIR": scratch,
        }
        command = [
            str(BIN / "halmos"), "--root", str(ROOT), "--forge-build-out", "cache/symbolic/out", "--no-status",
            "--match-contract", f"^({'|'.join(contracts)})$", "--solver-command", SOLVER,
            "--solver-timeout-assertion", "120s", "--loop", "64", "--panic-error-codes", "*",
            "--json-output", str(report),
        ]  # fmt: skip
        subprocess.run(command, cwd=ROOT, env=environment, check=False)
        results = json.loads(report.read_text())["test_results"] if report.exists() else {}
    return {
        f"{where.split(':')[-1]}.{check['name'].split('(')[0]}": (
            check["exitcode"],
            bool(check["num_bounded_loops"]),
            sum(check["time"][:1]) if check["time"] else 0.0,
        )
        for where, checks in results.items()
        for check in checks
    }


def main(arguments: list[str]) -> int:
    checks = declared()
    chosen = [name for name in arguments if name != "quick"] or (QUICK if "quick" in arguments else list(checks))
    if unknown := set(chosen) - set(checks):
        sys.exit(f"no such contract in {CHECKS}: {', '.join(sorted(unknown))}")
    began = time.monotonic()
    results = run(chosen)

    passed = failed = timed_out = 0
    for contract in chosen:
        for check in checks[contract]:
            code, cut, _ = results.get(f"{contract}.{check}", (-1, False, 0.0))
            if code == 0 and not cut:
                passed += 1
                continue
            timed_out += code == TIMED_OUT
            failed += code != TIMED_OUT
            print(f"{contract}.{check}: {'LOOP CUT SHORT' if code == 0 else VERDICTS.get(code, 'NOT RUN')}")
    seconds = time.monotonic() - began
    print(f"symbolic: {passed} checks passed, {failed} failed, {timed_out} timed out; {seconds:.0f} s")
    return 0 if passed and not failed and not timed_out else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
