"""A gateway process that accepts some messages, prints each answer as a JSON line, and is then killed.

The settings come from the environment, the key from standard input, the number of messages is the first argument.
"""

import json
import os
import signal
import sys
from io import StringIO

from contracts import spec
from gateway.app import create_app
from gateway.events import open_log
from gateway.gateway import open_gateway
from gateway.settings import from_env


def main():
    """Send, say what was answered, die without goodbye."""
    client = create_app(open_gateway(from_env(os.environ), log=open_log(stream=StringIO()))).test_client()
    path, headers = spec.route("sendmessage").path, {"Authorization": f"Bearer {sys.stdin.readline().strip()}"}
    for number in range(int(sys.argv[1])):
        answer = client.post(path, json=spec.page_example() | {"text": f"{number}"}, headers=headers)
        sys.stdout.write(json.dumps({"status": answer.status_code, "text": f"{number}", **answer.json}) + "\n")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
