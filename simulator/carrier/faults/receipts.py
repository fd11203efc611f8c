"""Faults of the receipts: what comes back later comes twice, late, in the wrong order, wrong or never."""

from dataclasses import dataclass

from simulator.carrier.fault import Fault, Receipt, Word


@dataclass
class ReceiptDuplicate(Fault):
    """Each receipt is handed over twice, with the same id."""

    def receipts(self, receipts: list[Receipt]) -> list[Receipt]:
        return receipts * 2


@dataclass
class ReceiptLate(Fault):
    """Each receipt is handed over `seconds` later, about the same moment."""

    seconds: float = 60.0

    def receipts(self, receipts: list[Receipt]) -> list[Receipt]:
        return [receipt._replace(due=receipt.due + self.seconds) for receipt in receipts]


@dataclass
class ReceiptReorder(Fault):
    """After the last receipt an older ENROUTE arrives, `seconds` later."""

    seconds: float = 0.5

    def receipts(self, receipts: list[Receipt]) -> list[Receipt]:
        stale = [
            last._replace(
                receipt_id=f"{last.delivery.id}-STALE",
                message_status="ENROUTE",
                at=last.delivery.at,
                due=last.due + self.seconds,
            )
            for last in receipts[-1:]
        ]
        return [*receipts, *stale]


@dataclass
class ReceiptMissing(Fault):
    """No receipt ever comes."""

    def receipts(self, receipts: list[Receipt]) -> list[Receipt]:  # noqa: ARG002 - a hook
        return []


@dataclass
class ReceiptStatus(Fault):
    """The last receipt reports `status`, in SMPP's words."""

    status: Word = "UNDELIV"

    def receipts(self, receipts: list[Receipt]) -> list[Receipt]:
        return [
            *receipts[:-1],
            *(
                last._replace(receipt_id=f"{last.delivery.id}-{self.status}", message_status=self.status)
                for last in receipts[-1:]
            ),
        ]
