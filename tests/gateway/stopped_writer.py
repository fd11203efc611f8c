"""A gateway process that is stopped, as by SIGSTOP from outside, in the middle of storing an order.

Arguments: the database's URL, and where it stops: `turn` (it has the turn and has not begun) or `insert` (it has begun
its transaction as well). The row to store is on standard input, as JSON; what became of it is printed.
"""

import json
import os
import signal
import sys

from gateway.database import open_database


def stop(*_):
    """Stand still until SIGCONT."""
    sys.stdout.write("stopping\n")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGSTOP)


def main():
    """Store the row, with one halt on the way."""
    url, place = sys.argv[1:]
    database, row = open_database(url), json.load(sys.stdin)
    connection = database.insert._open()
    if place == "turn":
        connection.set_trace_callback(lambda statement: stop() if statement.startswith("INSERT") else None)
    else:
        connection.create_function("stop", 0, stop)
        connection.execute("CREATE TEMP TRIGGER halt AFTER INSERT ON orders BEGIN SELECT stop(); END")
    [fate] = database.insert([tuple(row)])
    sys.stdout.write(f"{fate.name}\n")
    database.close()


if __name__ == "__main__":
    main()
