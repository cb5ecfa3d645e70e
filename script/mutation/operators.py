"""Mutants of the contracts: small changes of every kind that the syntax trees have room for."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from schemata import Mutant, Place, Source, type_of

# Another operator for each, of the same types; `<` and `<=` are told apart by a boundary, the rest by almost any value.
_OPERATORS = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&",
    "+": "-", "-": "+", "*": "/", "/": "*", "%": "/", "&": "|", "|": "&", "^": "|", "<<": ">>", ">>": "<<",
}  # fmt: skip
_ASSIGNMENTS = {"+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "|=": "&=", "&=": "|=", "^=": "|=", "<<=": ">>=", ">>=": "<<="}
_YUL = {
    "lt": "gt", "gt": "lt", "slt": "sgt", "sgt": "slt", "add": "sub", "sub": "add", "mul": "add", "div": "mul", "mod": "div",
    "and": "or", "or": "and", "xor": "or", "shl": "shr", "shr": "shl", "eq": "sub",
}  # fmt: skip
# What an expression of assembly may hold to be worked out twice.
_HARMLESS = set(_YUL) | {
    "iszero", "not", "byte", "addmod", "mulmod", "mload", "sload", "tload", "calldataload", "calldatasize", "returndatasize", "keccak256",
    "gas", "caller", "callvalue", "chainid", "timestamp", "address", "codesize", "extcodesize", "balance", "selfbalance",
}  # fmt: skip


def find(sources: list[Source]) -> list[Mutant]:
    """All of them, each with a name of its own."""
    mutants, seen = [], Counter()
    for source in sources:
        for place, node in source.places:
            for mutant in _of(source, place, node):
                seen[mutant.name] += 1
                again = seen[mutant.name]
                mutants.append(replace(mutant, what=f"{mutant.what} #{again}") if again > 1 else mutant)
    return mutants


def _of(source: Source, place: Place, node: dict) -> Iterator[Mutant]:
    kind = node["nodeType"]
    text = source.text[place.start : place.end]

    def instead(new: str) -> Mutant:
        return Mutant(place, new, f"`{_short(text)}` is `{_short(new)}`")

    def without() -> Mutant:
        return Mutant(place, "", f"without `{_short(text)}`")

    if kind == "BinaryOperation" and place.kind == "expression" and not node.get("function"):
        left, right, old = source.slice(node["leftExpression"]), source.slice(node["rightExpression"]), node["operator"]
        new = _OPERATORS.get(old)
        boolean = type_of(node["leftExpression"]) == "t_bool"
        if new and not (boolean and old in "&|^"):
            yield instead(f"({left}) {new} ({right})")
    elif kind == "UnaryOperation" and place.kind == "expression" and node["operator"] in ("!", "~", "-"):
        yield instead(source.slice(node["subExpression"]))
    elif kind == "Conditional" and place.kind == "expression":
        yield instead(source.slice(node["trueExpression"]))
        yield instead(source.slice(node["falseExpression"]))
    elif kind == "IfStatement":
        condition, then = _short(source.slice(node["condition"])), _whole(source, node["trueBody"])
        other = _whole(source, node["falseBody"]) if node.get("falseBody") else ""
        yield Mutant(place, other or "{}", f"never `if ({condition})`")
        # What reverts whenever it is reached is noticed by whatever reaches it.
        if not re.match(r"(\{\s*)?revert\b", then):
            yield Mutant(place, then, f"always `if ({condition})`")
    elif kind == "ExpressionStatement":
        inner = node["expression"]
        if inner["nodeType"] == "Assignment" and inner["operator"] in _ASSIGNMENTS:
            left, right = source.slice(inner["leftHandSide"]), source.slice(inner["rightHandSide"])
            yield instead(f"{left} {_ASSIGNMENTS[inner['operator']]} {right};")
        # A counter that stands still never ends its loop.
        if inner["nodeType"] in ("Assignment", "FunctionCall") or inner.get("operator") == "delete":
            if not source.needs(place, inner.get("leftHandSide", {}).get("name", "")):
                yield without()
    elif kind == "EmitStatement":
        yield without()
    elif kind == "YulFunctionCall" and _is_harmless(node):
        name = node["functionName"]["name"]
        inner = [source.slice(a) for a in node["arguments"]]
        if name in _YUL:
            yield instead(f"{_YUL[name]}({', '.join(inner)})")
        elif name in ("iszero", "not"):
            yield instead(inner[0])
    elif kind == "YulIf":
        yield Mutant(place, "", f"never `if {_short(source.slice(node['condition']))}`")
    elif kind in ("YulExpressionStatement", "YulAssignment"):
        if not any(source.needs(place, variable["name"]) for variable in node.get("variableNames", [])):
            yield without()


def _is_harmless(node: dict) -> bool:
    if node["nodeType"] != "YulFunctionCall":
        return True
    return node["functionName"]["name"] in _HARMLESS and all(map(_is_harmless, node["arguments"]))


def _whole(source: Source, node: dict) -> str:
    text = source.slice(node)
    return text if text.endswith(("}", ";")) else f"{text};"


def _short(text: str) -> str:
    text = re.sub(r"\s+", " ", text).rstrip(";")
    return text if len(text) <= 100 else f"{text[:60]} ... {text[-30:]}"
