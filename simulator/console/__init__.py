"""The QA console: one message seen across PBX, gateway and carrier, in a browser. A simulator, for people."""
