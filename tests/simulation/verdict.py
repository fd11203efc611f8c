"""What must be true when a simulated world has come to rest: the promise, and that everything came to rest at all."""

from collections import Counter
from collections.abc import Iterator

from tests.simulation.plan import DEADLINE
from tests.simulation.world import BACK, World


def broken(world: World) -> list[str]:
    """A sentence for each breach of the promise; none if it held."""
    taken = Counter(taken.parcel.text for taken in world.line.taken)
    states = {order[0]: order for order in world.stage.orders()}
    sentences = [f"{text} was taken {n} times" for text, n in taken.items() if n > 1]
    known = {letter.text for letter in world.letters}
    sentences += [f"{text} was taken and nobody sent it" for text in taken if text not in known]
    ids = Counter(letter.answer for letter in world.letters if letter.accepted)
    sentences += [f"{order} was given to {n} messages" for order, n in ids.items() if n > 1]
    calm = not (world.plan.rates["commit"] or world.plan.stall)
    for letter in world.letters:
        if letter.answer == "unknown" and calm:
            sentences.append(f"{letter.text} was answered with a doubt, and nothing was wrong with the store")
        if letter.answer == "refused" and taken[letter.text]:
            sentences.append(f"{letter.text} was refused and taken all the same")
        elif letter.accepted:
            sentences += _ended(world, letter.text, states.get(letter.answer), taken[letter.text])
    sentences += [f"{order[0]} is still queued" for order in states.values() if order[2] == "queued"]
    sentences += world.log.accidents
    if not world.letters[-1].accepted:
        sentences.append(f"nothing was accepted within {BACK} s after the last fault")
    return sentences


def _ended(world: World, text: str, order: tuple | None, copies: int) -> Iterator[str]:
    """What is wrong with the end of an accepted message."""
    if order is None or order[1] != text:
        yield f"{text} was accepted and is not stored under its id"
        return
    key, _, state, attempts, first_attempt_at, expires_at, finished_at = order
    window = (world.plan.settings.dedup_window - DEADLINE) * 1000
    if state == "submitted" and not copies:
        yield f"{text} is marked submitted and was never taken"
    if state == "refused" and (copies or key not in world.line.refused):
        yield f"{text} is marked refused and the carrier did not refuse it"
    if state == "expired":
        too_late = attempts > 1 and finished_at >= first_attempt_at + window
        if finished_at < expires_at and not too_late:
            yield f"{text} expired before its time"
        if copies and attempts < 2:  # of an earlier attempt the answer may not have been learned, or written down
            yield f"{text} is marked expired and was taken"
