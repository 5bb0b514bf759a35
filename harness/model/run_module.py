"""Runs a module as the main program: ``python -P run_module.py FOLDERS MODULE ARGUMENTS…``; FOLDERS is a JSON array.

The folders come last on the search path. ``python -m`` would put the current folder first, and a file ``random.py``
there would run instead of Python's own.
"""

import json
import runpy
import sys

if __name__ == "__main__":
    folders, module = json.loads(sys.argv[1]), sys.argv[2]
    sys.path += [folder for folder in folders if folder not in sys.path]
    sys.argv = [module, *sys.argv[3:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
