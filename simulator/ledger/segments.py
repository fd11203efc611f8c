"""How many SMS a text takes: counted here on its own, so that a ledger can catch a gateway that counts wrong."""

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
GSM_7 = BASIC | EXTENSION


def segments(text: str) -> tuple[str, int]:
    """The encoding (GSM-7 or UCS-2) and the number of segments; no pair is ever split between two (3GPP 23.038)."""
    letters = set(text)
    if letters <= GSM_7:
        encoding, whole, part, wide = "GSM-7", 160, 153, letters & EXTENSION
    else:
        encoding, whole, part, wide = "UCS-2", 70, 67, {letter for letter in letters if letter > "\uffff"}
    length = len(text) + sum(map(text.count, wide))
    if length <= whole:
        return encoding, 1
    if not wide:
        return encoding, -(-length // part)
    count, left = 1, part
    for letter in text:
        size = 2 if letter in wide else 1
        if size > left:
            count, left = count + 1, part
        left -= size
    return encoding, count
