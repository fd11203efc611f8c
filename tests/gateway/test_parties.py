"""Who may send: account, sender and integration each have a switch, and an integration has its lists."""

import pytest

from contracts import spec
from gateway.administration import Mistake, add_integration, change_integration, checked_numbers, checked_sender

VERIFY = spec.route("verify").path


def change(desk, **changes):
    """Change the desk's integration and let a second pass."""
    change_integration(desk.gateway.database, "Lab", changes)
    desk.clock.now += 1


@pytest.mark.parametrize(
    ("switch", "word"), [("enabled", "disabled"), ("active", "suspended"), ("approved", "not approved")]
)
def test_each_switch_stops_both_endpoints_and_lets_them_go_on(desk, refused, switch, word):
    """Off is 10005 within a second, for send and verify; on again and messages pass again."""
    assert desk.send().status_code == 200
    change(desk, **{switch: False})
    assert word in refused(desk.send(), 403, "10005")
    assert word in refused(desk.client.get(VERIFY, headers={"Authorization": f"Bearer {desk.key}"}), 403, "10005")
    change(desk, **{switch: True})
    assert desk.send().status_code == 200


def test_an_integration_without_a_sender_may_not_send(desk, refused):
    """There is no default sender."""
    with desk.gateway.database.write() as connection:
        connection.exec_driver_sql("UPDATE integrations SET sender_id = NULL")
    assert "no sender" in refused(desk.send(), 403, "10005")


def test_only_listed_numbers_may_send(desk, refused):
    """With an allow-list another `from` is no usable number of this integration: 10001."""
    change(desk, allowed_from="+630000000001 +630000000002")
    assert desk.send(**{"from": "+630000000002"}).status_code == 200
    refused(desk.send(**{"from": "+630000000003"}), 400, "10001")


def test_only_listed_countries_are_reached(desk, refused):
    """With a list of calling codes every other destination is 10005."""
    change(desk, allowed_countries="63 44")
    assert [desk.send(to=to).status_code for to in ("+639171234567", "+447911123456")] == [200, 200]
    assert "code 1" in refused(desk.send(to="+14155552671"), 403, "10005")


def test_the_sender_is_the_keys_own_whatever_the_request_says(desk):
    """Two accounts: neither can send as the other, because nothing in a request chooses the sender."""
    other = add_integration(desk.gateway.database, "Other", "OTHER", allowed_from=["+630000000009"])
    assert desk.send(sender="OTHER", account="Other", integration_id=2).status_code == 200
    assert desk.send(key=other, **{"from": "+630000000009"}, sender="FUTURESMS").status_code == 200
    with desk.gateway.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT integration_id, sender FROM orders").all()
    assert rows == [(1, "FUTURESMS"), (2, "OTHER")]


def test_another_accounts_number_is_refused(desk, refused):
    """Each integration's list is its own."""
    other = add_integration(desk.gateway.database, "Other", "OTHER", allowed_from=["+630000000009"])
    refused(desk.send(key=other), 400, "10001")


def test_suspending_one_account_leaves_the_other_alone(desk):
    """Accounts do not share their fate; integrations of one account do."""
    add = desk.gateway.database, "Branch", "BRANCH"
    branch = add_integration(*add, account="Lab")
    other = add_integration(desk.gateway.database, "Other", "OTHER")
    change(desk, active=False)
    assert [desk.send(key=key).status_code for key in (desk.key, branch, other)] == [403, 403, 200]


@pytest.mark.parametrize("address", ["FUTURESMS", "Future SMS1", "1", "+639171234567", "ABCDEFGHIJK"])
def test_a_sender_is_a_number_or_a_short_name(address):
    """E.164, or at most eleven letters, digits and blanks."""
    assert checked_sender(address) == address


@pytest.mark.parametrize(
    "address", ["", " ", "ABCDEFGHIJKL", "Ünïcode", "A-B", "A\n", "+63", "+639171234567\n", "é", "١٢٣"]
)
def test_anything_else_is_no_sender(address):
    """Networks would replace or refuse it, so we do first."""
    with pytest.raises(Mistake, match="is no sender"):
        checked_sender(address)


@pytest.mark.parametrize("number", ["630000000001", "+0", "+63 1", "x"])
def test_a_list_of_numbers_holds_numbers_only(number):
    """One number that is none spoils the list, by name."""
    with pytest.raises(Mistake, match="is not a number"):
        checked_numbers(["+630000000001", number])


def test_names_are_given_once(desk):
    """A second integration of the same name is a mistake that changes nothing."""
    with pytest.raises(Mistake, match="already"):
        add_integration(desk.gateway.database, "Lab", "OTHER")
    with desk.gateway.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM senders").scalar() == 1


def test_an_integration_that_is_not_there_cannot_be_changed(desk):
    """The sentence names it."""
    with pytest.raises(Mistake, match="no integration named 'Nowhere'"):
        change_integration(desk.gateway.database, "Nowhere", {"enabled": False})
