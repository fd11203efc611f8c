"""How many SMS a text makes, with `smsutil` as the independent oracle."""

import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from gateway.segments import BASIC, EXTENSION, segments

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
EDGES = {
    "nothing to split": ("x", "GSM-7", 1),
    "160 letters": ("a" * 160, "GSM-7", 1),
    "161 letters": ("a" * 161, "GSM-7", 2),
    "306 letters": ("a" * 306, "GSM-7", 2),
    "307 letters": ("a" * 307, "GSM-7", 3),
    "a euro that just fits": ("a" * 158 + "€", "GSM-7", 1),
    "a euro that does not": ("a" * 159 + "€", "GSM-7", 2),
    "a euro across the first seam": ("a" * 152 + "€" + "a" * 152, "GSM-7", 3),
    "all extension": ("€" * 80, "GSM-7", 1),
    "one extension more": ("€" * 81, "GSM-7", 2),
    "77 to a part would split one": ("€" * 153, "GSM-7", 3),
    "every extension character": ("^{}\\[~]|€\f", "GSM-7", 1),
    "70 of UCS-2": ("я" * 70, "UCS-2", 1),
    "71 of UCS-2": ("я" * 71, "UCS-2", 2),
    "134 of UCS-2": ("я" * 134, "UCS-2", 2),
    "135 of UCS-2": ("я" * 135, "UCS-2", 3),
    "an emoji on the seam": ("я" * 66 + "😀" + "я" * 66, "UCS-2", 3),
    "35 emoji": ("😀" * 35, "UCS-2", 1),
    "36 emoji": ("😀" * 36, "UCS-2", 2),
    "the last of the first plane": ("\uffff" * 70, "UCS-2", 1),
    "the first beyond it": ("\U00010000" * 36, "UCS-2", 2),
    "1,000 emoji": ("😀" * 1000, "UCS-2", 31),
    "a family": (FAMILY, "UCS-2", 1),
    "families": (FAMILY * 7, "UCS-2", 2),
    "curly quotes": ("“quoted”", "UCS-2", 1),
    "ñ is basic": ("ñ" * 160, "GSM-7", 1),
    "ç is not": ("ç" * 71, "UCS-2", 2),
    "Ç is basic": ("Ç" * 160, "GSM-7", 1),
    "line ends": ("a\r\n" * 53, "GSM-7", 1),
    "an escape is no character of it": ("\x1b" + "a" * 69, "UCS-2", 1),
    "Turkish": ("ş" * 70, "UCS-2", 1),
    "2,000 letters": ("a" * 2000, "GSM-7", 14),
    "2,000 beyond the first plane": ("😀" * 2000, "UCS-2", 61),
}
GSM = st.text(st.sampled_from(sorted(BASIC | EXTENSION)), min_size=1, max_size=700)
# The oracle takes a bare ESC for a character; in GSM 03.38 it only announces one of the extension.
ANY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x1b"), min_size=1, max_size=300)
PIECES = ["a" * 66, "a" * 152, "€", "😀", "я", "x", "\n"]
MIXED = st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join)


@pytest.mark.parametrize("case", EDGES)
def test_edge_texts_have_known_counts(case):
    """The texts at which gateways in the field are known to miscount."""
    text, encoding, parts = EDGES[case]
    assert segments(text) == (encoding, parts)


@given(GSM | ANY | MIXED)
def test_the_count_is_the_oracles(text):
    """For any text, encoding and number of parts are those of an independent implementation."""
    oracle = smsutil.split(text)
    assert segments(text) == ({"gsm0338": "GSM-7"}.get(oracle.encoding, "UCS-2"), len(oracle.parts))


def test_the_alphabet_has_its_published_size():
    """GSM 03.38 has 127 characters without the escape, and 10 more behind it."""
    assert (len(BASIC), len(EXTENSION)) == (127, 10)


def test_the_order_carries_them(desk):
    """What was counted is stored on the order, for the carrier and for the bill."""
    desk.send(text="я" * 71)
    with desk.gateway.database.read() as connection:
        assert connection.exec_driver_sql("SELECT encoding, segments FROM orders").one() == ("UCS-2", 2)
