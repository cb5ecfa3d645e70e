"""Mutants of the contracts, all compiled at once: every place that is changed keeps both texts and chooses by the number of the mutant
that is on, which is the block's coinbase (`isMutant(7) ? a - b : a + b`). One build then serves all runs of the tests, each of which says
which mutant is on by an option of forge. Such a program is called a mutant schema (Untch, Offutt, Harrold: Mutation analysis using
mutant schemata, 1993).

The copy below `cache/mutation` differs from the contracts in one more way: `pure` is `view`, as a mutant reads the block.
"""

import json
import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRATCH = ROOT / "cache/mutation"
CONTRACTS = ROOT / "contracts"
# Operators that Solidity defines by functions want these to stay pure.
PURE = "types/CircuitId.sol"
# How often a fuzz test runs, unless otherwise said.
FUZZ_RUNS = 64
# Tests of the size and gas of the deployed code.
OF_GAS = ("CodeSizeTest", "CanaryTest", "GasLimitsTest")

GUARD = """\
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

function _isMutant(uint256 which) view returns (bool on) {
    assembly ("memory-safe") {
        on := eq(coinbase(), which)
    }
}

/// @dev Pure as far as the compiler knows.
function isMutant(uint256 which) pure returns (bool) {
    function(uint256) view returns (bool) reads = _isMutant;
    function(uint256) pure returns (bool) asked;
    assembly ("memory-safe") {
        asked := reads
    }
    return asked(which);
}
"""


@dataclass(frozen=True)
class Place:
    """A piece of a file that can be chosen between two texts: an expression or statement, of Solidity or of assembly."""

    file: str
    start: int
    end: int
    kind: str  # "expression", "statement", "yul expression", "yul statement"
    function: str


@dataclass(frozen=True)
class Mutant:
    """Another text for a place. Its name does without a line, which changes with every edit."""

    place: Place
    text: str
    what: str

    @property
    def name(self) -> str:
        return f"{self.place.file} {self.place.function}: {self.what}"


@dataclass
class Source:
    """A file of the contracts and all its places, from the outermost to the innermost."""

    file: str
    text: str
    tree: dict
    places: list[tuple[Place, dict]] = field(default_factory=list)
    # Functions and their variables that begin as references to nothing.
    references: set[tuple[str, str]] = field(default_factory=set)

    def needs(self, place: Place, variable: str) -> bool:
        """Whether the compiler insists that a variable is assigned to."""
        return (place.function, variable.split(".")[0]) in self.references

    def slice(self, node: dict) -> str:
        start, end = span(node)
        return self.text[start:end]


def span(node: dict) -> tuple[int, int]:
    start, length, _ = node["src"].split(":")
    return int(start), int(start) + int(length)


def children(node):
    for key, value in node.items():
        if isinstance(value, dict) and "src" in value:
            yield key, value
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, dict) and "src" in item:
                    yield key, item


def read_sources() -> list[Source]:
    """All contracts with their syntax trees. Solidity counts bytes and Python characters, so the sources are read as Latin-1."""
    contents: dict[str, str] = {}
    wanted = sorted(f"contracts/{path.relative_to(CONTRACTS)}" for path in CONTRACTS.rglob("*.sol"))
    pending = list(wanted)
    while pending:
        name = pending.pop()
        if name in contents:
            continue
        text = (ROOT / name).read_bytes().decode()
        contents[name] = text
        for imported in re.findall(r'^import [^"]*"([^"]+)";', text, re.MULTILINE):
            if imported.startswith("solady/"):
                pending.append(imported.replace("solady/", "node_modules/solady/src/", 1))
            else:
                pending.append(os.path.normpath(os.path.join(os.path.dirname(name), imported)))
    asked = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in contents.items()},
        "settings": {
            "remappings": ["solady/=node_modules/solady/src/"],
            "outputSelection": {"*": {"": ["ast"]}},
        },
    }
    said = subprocess.run(
        [ROOT / "script/tools/solc", "--standard-json"], input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    answer = json.loads(said.stdout)
    errors = [e["formattedMessage"] for e in answer.get("errors", []) if e["severity"] == "error"]
    if errors:
        raise SystemExit("\n".join(errors))
    sources = []
    for name in wanted:
        source = Source(
            name.removeprefix("contracts/"), contents[name].encode().decode("latin-1"), answer["sources"][name]["ast"]
        )
        _find_places(source)
        sources.append(source)
    return sources


_STATEMENTS = {"ExpressionStatement", "IfStatement", "Return", "RevertStatement", "EmitStatement", "ForStatement", "Block"}
_EXPRESSIONS = {"BinaryOperation", "UnaryOperation", "Conditional", "FunctionCall", "Identifier", "MemberAccess", "IndexAccess", "Literal", "TupleExpression"}  # fmt: skip


def _find_places(source: Source) -> None:
    function = ""

    def add(start: int, end: int, kind: str, node: dict) -> None:
        source.places.append((Place(source.file, start, end, kind, function), node))

    def visit(node: dict, inside: bool, value: bool, head: bool = False) -> None:
        """`inside`: a function's body. `value`: whether an expression here is read, not written to. `head`: of a loop."""
        nonlocal function
        kind = node.get("nodeType", "")
        if kind in ("FunctionDefinition", "ModifierDefinition"):
            function = node["name"] or node["kind"]
        start, end = span(node)
        source.references.update((function, name) for name in _references_to_nothing(node))
        if kind == "InlineAssembly":
            visit_yul(node["AST"])
            return
        if inside and kind in _STATEMENTS and not head:
            if source.text[end - 1] not in ";}":
                end = source.text.index(";", end) + 1
            add(start, end, "statement", node)
        elif inside and kind in _EXPRESSIONS and value and _has_type(node):
            add(start, end, "expression", node)
        for key, child in children(node):
            read = key not in ("leftHandSide", "expression", "typeName", "modifierName", "declarations", "eventCall", "errorCall")
            read = read or (key == "expression" and kind in ("Return",))
            if kind == "UnaryOperation" and node["operator"] in ("++", "--", "delete"):
                read = False
            if kind in ("FunctionDefinition", "ModifierDefinition"):
                visit(child, key == "body", True)
            elif child.get("nodeType") == "VariableDeclaration":
                visit(child, False, False)
            else:
                # What an event or error is made of is read, though the call itself is no expression.
                visit(child, inside, read, key in ("initializationExpression", "loopExpression"))

    def visit_yul(node: dict) -> None:
        kind = node["nodeType"]
        start, end = span(node)
        if kind in ("YulExpressionStatement", "YulAssignment", "YulIf", "YulForLoop", "YulSwitch"):
            add(start, end, "yul statement", node)
        elif kind == "YulFunctionCall":
            add(start, end, "yul expression", node)
        for key, child in children(node):
            # The head of a loop is no place for a statement.
            if kind == "YulForLoop" and key in ("pre", "post"):
                for _, statement in children(child):
                    for _, part in children(statement):
                        if part["nodeType"] == "YulFunctionCall":
                            visit_yul(part)
                continue
            if child["nodeType"].startswith("Yul"):
                visit_yul(child)

    visit(source.tree, False, False)


def _references_to_nothing(node: dict) -> list[str]:
    """Variables that a function returns or a statement declares without a value, and that refer to calldata or storage."""
    variables = []
    if node.get("nodeType") == "FunctionDefinition":
        variables = node["returnParameters"]["parameters"]
    elif node.get("nodeType") == "VariableDeclarationStatement" and not node.get("initialValue"):
        variables = filter(None, node["declarations"])
    return [v["name"] for v in variables if type_of(v).endswith(("calldata_ptr", "storage_ptr"))]


def type_of(node: dict) -> str:
    return node.get("typeDescriptions", {}).get("typeIdentifier") or ""


def _has_type(node: dict) -> bool:
    """Whether both texts of a choice have one type: not so for constants, whose type is their value, for calls that return nothing
    or more than one thing, and for names of types and functions."""
    return not type_of(node).startswith(("t_rational", "t_stringliteral", "t_type", "t_function", "t_magic", "t_module", "t_tuple", "t_modifier", "t_error", "t_event"))  # fmt: skip


def write_copy(sources: list[Source], mutants: list[Mutant]) -> None:
    """Writes the contracts, with mutant k of the list as number k + 1, and the tests."""
    for name in ["contracts", "tests"]:
        for path in (SCRATCH / name).rglob("*.sol"):
            if not (ROOT / path.relative_to(SCRATCH)).exists():
                path.unlink()
    for name in ["contracts", "tests/contracts"]:
        for path in (ROOT / name).rglob("*.sol"):
            # Gas is that of other code, and a campaign runs for too long to be repeated.
            if path.name.endswith(".gas.t.sol") or "invariant" in path.parts:
                continue
            to = SCRATCH / path.relative_to(ROOT)
            text = path.read_bytes().decode("latin-1")
            _write(to, text if path.name == "CircuitId.sol" else _as_view(text))
    for name in ["tests/vectors", "script/tools"]:
        shutil.copytree(ROOT / name, SCRATCH / name, dirs_exist_ok=True)
    shutil.copy(ROOT / "foundry.toml", SCRATCH)
    if not (SCRATCH / "node_modules").exists():
        (SCRATCH / "node_modules").symlink_to(ROOT / "node_modules")
    _write(SCRATCH / "contracts/IsMutant.sol", GUARD)

    by_file = defaultdict(list)
    for number, mutant in enumerate(mutants, 1):
        by_file[mutant.place.file].append((number, mutant))
    for source in sources:
        if source.file in by_file:
            write_marked(source.file, _choose(source.text, by_file[source.file]), "isMutant", "IsMutant.sol")


def write_marked(file: str, text: str, function: str, home: str) -> None:
    """Writes a file that calls a function of ours."""
    up = "../" * file.count("/") or "./"
    text = re.sub(
        r"^(pragma solidity [^;]+;)$",
        rf'\1\nimport {{{function}}} from "{up}{home}";',
        text,
        count=1,
        flags=re.MULTILINE,
    )
    _write(SCRATCH / "contracts" / file, text if file == PURE else _as_view(text))


def _write(path: Path, text: str) -> None:
    """Leaves a file alone that says the same, so that forge need not compile it again."""
    data = text.encode("latin-1")
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _as_view(text: str) -> str:
    return re.sub(r"\bpure\b", "view", text)


def _choose(text: str, mutants: list[tuple[int, Mutant]]) -> str:
    groups = defaultdict(list)
    for number, mutant in mutants:
        groups[mutant.place].append((number, mutant))
    # Outer places first; of two equally long ones a statement holds the expression.
    places = sorted(groups, key=lambda p: (p.start, -p.end, "expression" in p.kind))

    def render(start: int, end: int, queue: list[Place]) -> str:
        out, at = [], start
        while queue and queue[0].start < end:
            place = queue.pop(0)
            if place.end > end:
                raise SystemExit(f"{place} crosses the end of its surroundings")
            out.append(text[at : place.start])
            body = render(place.start, place.end, queue)
            for number, mutant in groups[place]:
                body = _choice(place.kind, number, mutant.text, body)
            out.append(body)
            at = place.end
        out.append(text[at:end])
        return "".join(out)

    return render(0, len(text), places)


def _choice(kind: str, number: int, mutant: str, original: str) -> str:
    if kind == "expression":
        return f"(isMutant({number}) ? ({mutant}) : ({original}))"
    if kind == "statement":
        return f"{{ if (isMutant({number})) {{ {mutant} }} else {{ {original} }} }}"
    on = f"eq(coinbase(), {number})"
    # Arguments are worked out from the last to the first, so the original, which may hold other choices, comes before anything else
    # lies on the stack.
    if kind == "yul statement":
        return f"if {on} {{ {mutant} }} if iszero({on}) {{ {original} }}"
    # Both sides are worked out, so neither may do anything (see `operators.py`).
    return f"add(mul({on}, {mutant}), mul(iszero({on}), {original}))"


@contextmanager
def replaced(file: str, old: str, new: str):
    """The copy with one text instead of another, for as long as this lasts."""
    path = SCRATCH / "contracts" / file
    text = path.read_bytes()
    if old.encode() not in text:
        raise SystemExit(f"{file} no longer says {old!r}")
    path.write_bytes(text.replace(old.encode(), new.encode(), 1))
    try:
        yield
    finally:
        path.write_bytes(text)


def forge(
    arguments: list[str], mutant: int = 0, timeout: float | None = None, fuzz_runs: int = FUZZ_RUNS
) -> subprocess.CompletedProcess:
    """Runs forge over the copy, with one mutant on, or none."""
    # Or a fuzz test would begin with what failed for another one.
    shutil.rmtree(SCRATCH / "cache/fuzz", ignore_errors=True)
    settings = os.environ | {"FOUNDRY_PROFILE": "mutation", "FOUNDRY_FUZZ_RUNS": str(fuzz_runs), "PROOPHI_FOUNDRY": "npm"}
    return subprocess.run(
        ["script/tools/forge", *arguments, *(["--block-coinbase", f"0x{mutant:040x}"] if arguments[0] == "test" else [])],
        cwd=SCRATCH, env=settings, capture_output=True, text=True, check=False, timeout=timeout,
    )  # fmt: skip


def results(said: subprocess.CompletedProcess) -> tuple[set[str], set[str]]:
    """The tests that passed and those that failed."""
    text = _plain(said.stdout)
    passed = set(re.findall(r"^\[PASS\] (\w+)\(", text, re.MULTILINE))
    return passed, set(re.findall(r"^\[FAIL.*\] (\w+)\(", text, re.MULTILINE))


def failing_suites(said: subprocess.CompletedProcess) -> set[str]:
    """The contracts with a test that failed."""
    return set(re.findall(r"^Encountered .* in .*:(\w+)$", _plain(said.stdout), re.MULTILINE))


def seconds_by_suite(said: subprocess.CompletedProcess) -> dict[str, float]:
    """Processor time by test contract."""
    units = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
    text = _plain(said.stdout)
    found = re.findall(r"^Ran \d+ tests? for .*:(\w+)$(?s:.*?)\(([\d.]+)(\D+) CPU time\)$", text, re.MULTILINE)
    if len(found) != len(re.findall(r"^Ran \d+ tests? for ", text, re.MULTILINE)):
        raise SystemExit(f"forge says the time of suites in another way:\n{text}")
    return {suite: float(number) * units[unit] for suite, number, unit in found}


def any_of(suites: Iterable[str]) -> str:
    """What forge takes for these test contracts."""
    return f"^({'|'.join(suites)})$"


def _plain(text: str) -> str:
    """Without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
