"""Broken providers: each a correct one behind a front with exactly one defect, and the rule that must find it.

The suite proves with them that it can fail. A mutant is a function in one of this package's modules, decorated
with `@mutant`; `hunt.catalogue` finds them all.
"""
