"""Runs a command and tells what it took: usage: python measure.py OUTPUT COMMAND ARGUMENT…

Standard output of the command goes to OUTPUT. Answers one JSON line: seconds from start to end, processor seconds in the program and in
the system, all threads and children together, the largest resident memory in MiB, the exit code.
"""
import json
import resource
import subprocess
import sys
import time

started = time.perf_counter()
with open(sys.argv[1], "wb") as output:
    status = subprocess.run(sys.argv[2:], stdout=output).returncode
wall = time.perf_counter() - started
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(
    json.dumps(
        {"wall": wall, "user": used.ru_utime, "system": used.ru_stime, "mib": used.ru_maxrss / 1024, "status": status}
    )
)
