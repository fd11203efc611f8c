"""How many SMS a text takes: counted here on its own, so that a ledger can catch a gateway that counts wrong."""

BASIC = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = set("\f^{}\\[~]|€")


def segments(text: str) -> tuple[str, int]:
    """The encoding (GSM-7 or UCS-2) and the number of segments; no pair is ever split between two (3GPP 23.038)."""
    letters = set(text)
    if letters <= BASIC | EXTENSION:
        encoding, whole, part = "GSM-7", 160, 153
        sizes = [2 if letter in EXTENSION else 1 for letter in text]
    else:
        encoding, whole, part = "UCS-2", 70, 67
        sizes = [2 if ord(letter) > 0xFFFF else 1 for letter in text]
    if sum(sizes) <= whole:
        return encoding, 1
    count, left = 1, part
    for size in sizes:
        if size > left:
            count, left = count + 1, part
        left -= size
    return encoding, count
