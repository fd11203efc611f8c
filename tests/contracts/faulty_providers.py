"""Two providers as they are found in public: each with several of the faults named in the project's notes.

`FrameworkProvider` lets its web framework speak: exceptions wrapped in `detail`, 422 for bad input, the upstream's
status passed through. `ScriptProvider` is a script behind a web server: a 401 of its own shape, numbers as ids,
messages without anything in them accepted, a crash page when the upstream fails.
"""

from flask import jsonify

from tests.contracts import minimal_provider as minimal


class FrameworkProvider(minimal.Minimal):
    """A provider written with a framework that has opinions about errors."""

    def gate(self):
        """401 is wrapped one level deeper."""
        refused = super().gate()
        if refused is None or refused[1] != 401:
            return refused
        return jsonify(detail=refused[0].get_json()), 401

    def fault(self, message):
        """Bad input is the framework's 422."""
        refused = super().fault(message)
        if refused is None or refused[0].get_json()["errors"][0]["code"] != "10002":
            return refused
        return jsonify(detail=[{"loc": ["body"], "msg": "field required", "type": "missing"}]), 422

    def accept(self, message):
        """The upstream's status is passed through with 10007."""
        if self.is_down:
            return minimal.refusal("10007", "upstream")[0], 422
        return super().accept(message)


class ScriptProvider(minimal.Minimal):
    """A provider that is a script."""

    def gate(self):
        """401 has a shape of its own."""
        refused = super().gate()
        return refused if refused is None or refused[1] != 401 else (jsonify(status="error", message="bad key"), 401)

    def fault(self, message):
        """Media and missing texts do not matter."""
        if isinstance(message, dict):
            message = {name: value for name, value in message.items() if name != "media_urls"}
        return super().fault(message)

    def accept(self, message):
        """Ids are numbers; when the upstream fails the script crashes with a page."""
        if self.is_down:
            page = '<h1>Internal Server Error</h1><pre>Traceback (most recent call last):\n  File "send.py"</pre>'
            return page, 500, {"Content-Type": "text/html"}
        answer = super().accept(message)
        return jsonify(data={"id": int(answer.get_json()["data"]["id"][3:])})


def create(kind: str, key: str):
    """The app of the kind, "framework" or "script"."""
    provider = {"framework": FrameworkProvider, "script": ScriptProvider}[kind](key)
    return provider.app
