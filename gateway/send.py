"""The whole behaviour of sendmessage: the lines of `send` are the order of validation, and the first fault wins."""

from typing import Any

from gateway.body import read_message
from gateway.contract import NO_PERMISSION, Refusal
from gateway.gateway import Gateway
from gateway.message import check_content, check_numbers
from gateway.parties import Integration


def send(environ: dict[str, Any], gateway: Gateway) -> str:
    """Accept one message and return its order id, which is on disk by then; or raise the Refusal that answers it."""
    integration = gateway.keys.authenticate(environ)  # 10004
    gateway.limiter.admit(integration)  # 10006
    message = read_message(environ)  # 10002, 413, 415
    check_permission(integration)  # 10005
    check_numbers(message, integration)  # 10001, then 10005
    content = check_content(message)  # 10003, then 10002
    gateway.admission.check()  # 10006 backlog, 10007 carrier, disk
    return gateway.orders.create(integration, message, content)  # 10007 store


def verify(environ: dict[str, Any], gateway: Gateway) -> Integration:
    """Verify asks the same questions as far as there is something to ask."""
    integration = gateway.keys.authenticate(environ)
    gateway.limiter.admit(integration)
    check_permission(integration)
    return integration


def check_permission(integration: Integration) -> None:
    """10005 unless the integration is enabled, its account active, and its sender known and approved."""
    reasons = {
        "The integration is disabled": not integration.enabled,
        "The account is suspended": not integration.account_active,
        "The integration has no sender": integration.sender is None,
        "The sender is not approved": not integration.sender_approved,
    }
    for reason, holds in reasons.items():
        if holds:
            raise Refusal(NO_PERMISSION, reason)
