"""Crashes, stops and a broken carrier, on purpose, and what they cost: the promise as a measured figure."""
