"""Answers a query of halmos, an SMT-LIB file: `solve.py FILE`.

Bits are Yices' matter, which comes with halmos and is started first. Products, quotients and long sums are decided in a moment once bit
vectors are taken for integers, as cvc5 can. What one of them finds at once the other may never find, so the first answer counts.
"""

import subprocess
import sys
import time

# Most queries need less than this (seconds), and then one solver is enough.
HEAD_START = 0.3
PAUSE = 0.02


def cvc5(query: str) -> None:
    """What the command `cvc5` does, without which its Python package comes."""
    import cvc5

    solver = cvc5.Solver(cvc5.TermManager())
    solver.setOption("produce-models", "true")
    solver.setOption("solve-bv-as-int", "sum")
    parser = cvc5.InputParser(solver)
    parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, query)
    while not (command := parser.nextCommand()).isNull():
        print(command.invoke(solver, parser.getSymbolManager()), end="", flush=True)


def race(query: str) -> str:
    """The first answer. If it takes too long, halmos ends this process and what it started."""
    commands = [
        ["yices-smt2", "--smt2-model-format", "--bvconst-in-decimal", query],
        [sys.executable, __file__, "--cvc5", query],
    ]
    running: list[subprocess.Popen[str]] = []
    began = time.monotonic()
    while commands or running:
        if commands and (not running or time.monotonic() - began > HEAD_START):
            running.append(
                subprocess.Popen(commands.pop(0), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            )
        for solver in [solver for solver in running if solver.poll() is not None]:
            running.remove(solver)
            answer = solver.communicate()[0]
            if answer.startswith(("sat", "unsat")):
                for other in running:
                    other.kill()
                return answer
        time.sleep(PAUSE)
    return "unknown\n"


if __name__ == "__main__":
    if sys.argv[1] == "--cvc5":
        cvc5(sys.argv[2])
    else:
        print(race(sys.argv[1]), end="")
