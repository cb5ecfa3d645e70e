"""cvc5, as far as halmos uses it: `solve.py FILE` answers an SMT-LIB query. Its Python package comes without the command.

Bit vectors are taken for integers: then products and quotients of unknown numbers are decided in a moment that no solver finds bit by bit.
"""

import sys

import cvc5

OPTIONS = {"produce-models": "true", "solve-bv-as-int": "sum"}

solver = cvc5.Solver(cvc5.TermManager())
for option, value in OPTIONS.items():
    solver.setOption(option, value)
for argument in sys.argv[2:]:
    solver.setOption(*argument.split("=", 1))
parser = cvc5.InputParser(solver)
parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, sys.argv[1])
while not (command := parser.nextCommand()).isNull():
    print(command.invoke(solver, parser.getSymbolManager()), end="", flush=True)
