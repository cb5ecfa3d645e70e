"""Plants the bugs of tests/planted/bugs.toml one at a time and demands a failing test for each: `plant.py [SUITE...]`.

The contracts are copied to a scratch directory and compiled there the quick way (`FOUNDRY_PROFILE=planted`), after
tests/planted/legacy.patch has said the same in words for which that compiler has enough stack. First all named tests must be
green without a bug. A bug is caught if one of its tests ran and failed: an error of the compiler catches nothing.

UNFINISHED: no build of the patched contracts has succeeded yet, so no bug has been tried.
"""

import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLANTED = ROOT / "tests/planted"
SCRATCH = ROOT / "cache/planted"


def prepare() -> None:
    """A copy of what forge needs; what was compiled before stays."""
    for name in ["contracts", "tests/contracts", "tests/vectors", "script/tools"]:
        shutil.rmtree(SCRATCH / name, ignore_errors=True)
        shutil.copytree(ROOT / name, SCRATCH / name)
    shutil.copy(ROOT / "foundry.toml", SCRATCH)
    if not (SCRATCH / "node_modules").exists():
        (SCRATCH / "node_modules").symlink_to(ROOT / "node_modules")
    subprocess.run(["patch", "-sp1", "-i", PLANTED / "legacy.patch"], cwd=SCRATCH, check=True)


def run(suites: list[str], tests: list[str]) -> tuple[set[str], set[str], str]:
    """The tests that passed, those that failed, and all that forge said."""
    command = [
        "script/tools/forge", "test", "--ignore-eip-3860",
        "--match-path", f"tests/contracts/**/{{{','.join(suites)}}}.t.sol", "--match-test", f"^({'|'.join(tests)})$",
    ]  # fmt: skip
    environment = os.environ | {"FOUNDRY_PROFILE": "planted"}
    said = subprocess.run(command, cwd=SCRATCH, env=environment, capture_output=True, text=True, check=False)
    text = re.sub(r"\x1b\[[0-9;]*m", "", said.stdout + said.stderr)
    passed = set(re.findall(r"^\[PASS\] (\w+)\(", text, re.MULTILINE))
    failed = set(re.findall(r"^\[FAIL.*\] (\w+)\(", text, re.MULTILINE)) & set(tests)
    return passed, failed, text


def is_caught(bug: dict) -> bool:
    file = SCRATCH / "contracts" / bug["file"]
    text = file.read_text()
    if bug["old"] not in text:
        sys.exit(f"{bug['what']}: {bug['file']} no longer says what the bug replaces")
    file.write_text(text.replace(bug["old"], bug["new"], 1))
    try:
        passed, failed, said = run([bug["suite"]], bug["tests"])
    finally:
        file.write_text(text)
    if not passed | failed:
        print(said)
    return bool(failed)


def main(suites: list[str]) -> int:
    bugs = tomllib.loads((PLANTED / "bugs.toml").read_text())["bug"]
    bugs = [bug for bug in bugs if not suites or bug["suite"] in suites]
    prepare()
    tests = {test for bug in bugs for test in bug["tests"]}
    passed, failed, said = run(sorted({bug["suite"] for bug in bugs}), sorted(tests))
    if failed or passed != tests:
        sys.exit(f"{said}\nnot green without a bug: {', '.join(sorted(failed | (tests - passed)))}")

    missed = 0
    for bug in bugs:
        began = time.monotonic()
        caught = is_caught(bug)
        missed += not caught
        verdict = "caught" if caught else "MISSED"
        print(f"{verdict} {time.monotonic() - began:4.0f} s  {bug['threat']:>3}  {bug['what']} ({bug['suite']})", flush=True)
    print(f"planted: {len(bugs) - missed} bugs caught, {missed} missed")
    return 0 if bugs and not missed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
