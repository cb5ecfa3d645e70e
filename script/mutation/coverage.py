#!/usr/bin/env python3
"""Which lines and branches of the contracts the tests reach: `coverage.py`. Fails unless all lines and 98 % of the branches are.

Forge counts only what is compiled with the tests, and the tests deploy what users deploy. So each stretch of code without a branch is
marked in a copy: the start of a function, both ways out of a condition (also where there is no `else`) and of `c ? a : b`, and the
body of a loop. A mark tells its number by a cheatcode the first time that it is reached. Assembly is not marked.
"""

import bisect
import sys
from dataclasses import dataclass

import schemata
from schemata import ROOT, Source, children, span

schemata.SCRATCH = ROOT / "cache/coverage"
REACHED = "cache/reached.txt"
VERIFIES = {"libraries/Bn254.sol", "libraries/Groth16Batch.sol", "libraries/Groth16Key.sol", "verifiers/Groth16Verifier.sol"}

MARK = """\
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

function _reached(bytes32 name) view returns (bool) {
    address vm = 0x7109709ECfa91a80626fF3989D68f67F5b1DD12D;
    bytes32 file = "FILE";
    assembly ("memory-safe") {
        // Beyond what assembly around may be working on.
        let m := add(mload(0x40), 0x8000)
        // envExists(name)
        mstore(m, shl(224, 0xce8365f9))
        mstore(add(m, 0x04), 0x20)
        mstore(add(m, 0x24), 8)
        mstore(add(m, 0x44), name)
        pop(staticcall(gas(), vm, m, 0x64, m, 0x20))
        if iszero(mload(m)) {
            // setEnv(name, name), writeLine(file, name)
            mstore(m, shl(224, 0x3d5923ee))
            mstore(add(m, 0x04), 0x40)
            mstore(add(m, 0x24), 0x80)
            mstore(add(m, 0x44), 8)
            mstore(add(m, 0x64), name)
            mstore(add(m, 0x84), 8)
            mstore(add(m, 0xa4), name)
            pop(staticcall(gas(), vm, m, 0xc4, 0x00, 0x00))
            mstore(m, shl(224, 0x619d897f))
            mstore(add(m, 0x44), LENGTH)
            mstore(add(m, 0x64), file)
            pop(staticcall(gas(), vm, m, 0xc4, 0x00, 0x00))
        }
    }
    return true;
}

/// @dev Pure as far as the compiler knows.
function reached(bytes32 name) pure returns (bool) {
    function(bytes32) view returns (bool) reads = _reached;
    function(bytes32) pure returns (bool) asked;
    assembly ("memory-safe") {
        asked := reads
    }
    return asked(name);
}
"""


@dataclass(frozen=True)
class Mark:
    file: str
    line: int
    what: str
    is_branch: bool


class Marker:
    """Puts the marks into one file."""

    def __init__(self, source: Source, marks: list[Mark]) -> None:
        self.source = source
        self.marks = marks
        self.lines = [at for at, c in enumerate(source.text) if c == "\n"]
        # Place, whether it ends something there, in which order: what ends comes first, from the inside out.
        self.insertions: list[tuple[int, int, int, str]] = []

    def put(self, at: int, text: str, ends: bool = False) -> None:
        self.insertions.append((at, 0 if ends else 1, len(self.insertions), text))

    def mark(self, node: dict, what: str, is_branch: bool) -> str:
        line = bisect.bisect_left(self.lines, span(node)[0]) + 1
        self.marks.append(Mark(self.source.file, line, what, is_branch))
        return f'reached("HIT{len(self.marks):05d}")'

    def body(self, node: dict, what: str, is_branch: bool) -> None:
        """Marks the start of a block, or makes one of a statement."""
        call = self.mark(node, what, is_branch)
        start, _ = span(node)
        if node["nodeType"] in ("Block", "UncheckedBlock"):
            self.put(self.source.text.index("{", start) + 1, f" {call};")
            self.visit(node)
        else:
            self.put(start, f"{{ {call}; ")
            self.visit(node)
            self.put(self.end(node), " }", ends=True)

    def end(self, node: dict) -> int:
        end = span(node)[1]
        return end if self.source.text[end - 1] in ";}" else self.source.text.index(";", end) + 1

    def visit(self, node: dict) -> None:
        kind = node.get("nodeType")
        if kind == "InlineAssembly":
            return
        if kind == "FunctionDefinition" and node.get("body"):
            self.body(node["body"], f"function {node['name'] or node['kind']}", False)
        elif kind == "IfStatement":
            condition = self.source.slice(node["condition"])
            self.visit(node["condition"])
            self.body(node["trueBody"], f"if ({condition})", True)
            if node.get("falseBody"):
                self.body(node["falseBody"], f"else of if ({condition})", True)
            else:
                # Where the body is another `if` without braces, its own `else` stands before this one.
                call = self.mark(node, f"not if ({condition})", True)
                self.put(self.end(node), f" else {{ {call}; }}", ends=True)
        elif kind in ("ForStatement", "WhileStatement"):
            for key, child in children(node):
                if key != "body":
                    self.visit(child)
            self.body(node["body"], "loop", False)
        elif kind == "Conditional":
            self.visit(node["condition"])
            for key in ("trueExpression", "falseExpression"):
                part = node[key]
                call = self.mark(part, f"{key} of {self.source.slice(node['condition'])}", True)
                # Both sides are the same: of the second nobody ever asks.
                start, end = span(part)
                self.put(start, f"({call} ? ({self.source.text[start:end]}) : (")
                self.put(end, "))", ends=True)
        else:
            for _, child in children(node):
                self.visit(child)

    def text(self) -> str:
        out, at = [], 0
        for place, _, _, text in sorted(self.insertions):
            out += [self.source.text[at:place], text]
            at = place
        return "".join([*out, self.source.text[at:]])


def run(sources: list[Source], marked: set[str]) -> tuple[list[Mark], list[Mark], set[str]]:
    """All marks in these files, those that were not reached, and the tests that failed."""
    marks: list[Mark] = []
    schemata.write_copy(sources, [])
    for source in sources:
        if source.file in marked:
            marker = Marker(source, marks)
            marker.visit(source.tree)
            if marker.insertions:
                schemata.write_marked(source.file, marker.text(), "reached", "Reached.sol")
    mark = MARK.replace("FILE", REACHED).replace("LENGTH", str(len(REACHED)))
    (schemata.SCRATCH / "contracts/Reached.sol").write_text(mark)
    settings = schemata.SCRATCH / "foundry.toml"
    allowed = 'fs_permissions = [{ access = "read-write", path = "cache" }, '
    settings.write_text(settings.read_text().replace("fs_permissions = [", allowed, 1))
    (schemata.SCRATCH / REACHED).unlink(missing_ok=True)

    said = schemata.forge(["test", "--no-match-contract", schemata.any_of(schemata.OF_GAS)])
    passed, failed = schemata.results(said)
    if len(failed) > len(passed) // 50 or not passed:
        sys.exit(said.stdout + said.stderr)
    hits = {int(line[3:]) for line in (schemata.SCRATCH / REACHED).read_text().split()}
    return marks, [mark for number, mark in enumerate(marks, 1) if number not in hits], failed


def main() -> int:
    sources = schemata.read_sources()
    files = {source.file for source in sources}
    marks: list[Mark] = []
    missed: list[Mark] = []
    # Apart, as marks in a verifier would take the gas that a market gives it.
    for part in (files - VERIFIES, VERIFIES):
        of_part, missed_in_part, failed = run(sources, part)
        marks += of_part
        missed += missed_in_part
        if failed:
            print(f"failed under the cost of marks: {', '.join(sorted(failed))}")
    for mark in missed:
        print(f"not reached: contracts/{mark.file}:{mark.line} {' '.join(mark.what.split())}")
    ok = True
    for name, is_branch, allowed in (("stretches of lines", False, 0.0), ("branches", True, 0.02)):
        count = sum(mark.is_branch == is_branch for mark in marks)
        lost = sum(mark.is_branch == is_branch for mark in missed)
        ok = ok and 0 < count and lost <= allowed * count
        print(f"{name}: {count - lost} of {count} reached ({100 * (count - lost) / count:.1f} %)")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
