"""`python -m simulator` is `smslab`: for processes that must not depend on where the script was installed."""

from simulator.cli import main

main()
