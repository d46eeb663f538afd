"""`python -m evals.mutants.program NAME run …`: a Jarvis whose bots have that defect.

A process that `multiprocessing` forks loads the main module first, as `__mp_main__` and with the arguments of its
parent. So each bot is broken before its own main runs, and the server, which forks them, is as it always is. What runs
as a module of its own (search, speech, indexing) is whole, too.
"""

import sys
from importlib import import_module

from evals.mutants.defects import MUTANTS, put_in

if __name__ == "__mp_main__":
    put_in(MUTANTS[sys.argv[1]])

if __name__ == "__main__":
    # By its name, since `evals` stands below the server.
    import_module("server.cli").app(args=sys.argv[2:], prog_name="jarvis")
