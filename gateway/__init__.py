"""The provider side as one compact Flask app: start with `contract.py`, then `send.py`."""
