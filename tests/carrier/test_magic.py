"""Magic recipients: valid everywhere, nobody's, and each does what its row says."""

import phonenumbers
import pytest

from simulator.carrier.app import create_app
from simulator.carrier.magic import PREFIX, numbers

NUMBERS = {magic.number: magic for magic in numbers()}


@pytest.mark.parametrize("number", NUMBERS)
def test_a_magic_number_passes_every_gateway(number):
    """A valid mobile number that formats back to itself, in the range kept for films (0605 to 0699)."""
    parsed = phonenumbers.parse(number)
    assert phonenumbers.is_valid_number(parsed)
    assert phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.MOBILE
    assert phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == number
    assert 5 <= int(number.removeprefix(PREFIX)) <= 99


def test_no_number_means_two_things():
    """Each row has its own number."""
    assert len(NUMBERS) == len(numbers())


@pytest.mark.parametrize(
    "magic", [magic for magic in numbers() if magic.kind == "refuse"], ids=lambda magic: magic.number
)
def test_a_refusing_number_is_refused_alone(carrier, magic):
    """The number meets its status; its neighbour in the batch is taken."""
    status = magic.params["status"]
    assert carrier.send("A", to=magic.number).status_code == status
    assert carrier.statuses(carrier.message("B"), carrier.message("C", to=magic.number)) == [200, status]
    assert carrier.taken() == ["B"]


def test_reset_does_not_end_the_magic(carrier):
    """The numbers are part of the carrier, not faults that somebody armed."""
    carrier.client.post("/reset")
    assert carrier.client.get("/faults").json["faults"] == []
    assert carrier.send("A", to=PREFIX + "53").status_code == 503


@pytest.mark.parametrize(
    ("end", "statuses"),
    [("54", [503, 503, 200]), ("59", [200, 503, 503]), ("80", [200]), ("81", [200]), ("60", [200]), ("61", [200])],
)
def test_numbers_with_a_history(carrier, end, statuses):
    """Flaky recovers, the trip goes down, garbles and delays are 200."""
    assert [carrier.send("A", to=PREFIX + end).status_code for _ in statuses] == statuses


@pytest.mark.parametrize("end", ["70", "71", "72", "73", "74", "63"])
def test_numbers_of_the_line_cut_it_once(carrier, end):
    """Without a socket every fault of the line is an aborted connection; the repeat goes well, and is one message."""
    with pytest.raises(ConnectionAbortedError):
        carrier.send("A", to=PREFIX + end)
    assert carrier.send("A", to=PREFIX + end).status_code == 200
    assert carrier.taken() == ["A"]


def test_one_number_never_answers(carrier):
    """However often it is tried."""
    for _ in range(3):
        with pytest.raises(ConnectionAbortedError):
            carrier.send("A", to=PREFIX + "62")
    assert carrier.taken() == []


class Pigeonhole:
    """A postman who keeps what he is given."""

    def __init__(self):
        self.posted = []

    def post(self, receipts):
        """Keep."""
        self.posted += receipts


def test_every_message_status_has_its_number(carrier):
    """All eight of SMPP's words, whatever the profile; one number stays silent, one speaks twice, one out of order."""
    hole = Pigeonhole()
    app = create_app(carrier.ledger, clock=carrier.clock, postman=hole)
    words = {}
    for end in range(10, 22):
        hole.posted.clear()
        message = carrier.message(f"K{end}", to=f"{PREFIX}{end}")
        assert app.test_client().post("/v1/messages", json={"messages": [message]}).status_code == 200
        words[end] = [receipt.message_status for receipt in hole.posted]
    final = [words[end] for end in range(10, 18)]
    smpp = ["DELIVRD", "UNDELIV", "EXPIRED", "REJECTD", "DELETED", "UNKNOWN", "ACCEPTD", "ENROUTE"]
    assert final == [[word] for word in smpp]
    assert [words[end] for end in range(18, 22)] == [[], ["DELIVRD"] * 2, ["DELIVRD"], ["DELIVRD", "ENROUTE"]]
