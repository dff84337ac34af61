"""Runs one test module on MicroPython: `micropython run_micropython.py tests.firmware.test_x`.

Prints a record separator, the function's name, a newline and "ok" or the traceback for each test.
"""

import sys

module = sys.argv[1]
namespace = {}
exec("import %s as tested" % module, namespace)
tested = namespace["tested"]
for name in dir(tested):
    if name.startswith("test_"):
        try:
            getattr(tested, name)()
            print("\x1e%s\nok" % name)
        except Exception as error:
            print("\x1e%s" % name)
            sys.print_exception(error, sys.stdout)
