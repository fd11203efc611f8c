"""The two outside worlds, a Yeastar PBX and a fake carrier, and the ledgers that balance them."""
