"""Channels: the PBX's screen is kept as files, its key for its owner's eyes only, and Save says what failed."""

import html
import re
import stat
import tomllib

import pytest

from simulator.console.lab import LabView
from simulator.console.shelf import HIDDEN
from simulator.pbx import channel as channels
from tests.console.conftest import TO, open_bench, target
from tests.console.forms import post, sent, words

KEY = "ysk_another-key-of-some-length"


def screen(bench, **fields):
    """The screen's fields, filled in for the lab's provider."""
    own = bench.lab.target
    return {
        "name": "Front desk", "key": own.key, "send_url": own.send_url, "verify_url": own.verify_url,
        "to": "", "send_rate": "2.5", "numbers": "+630000000002\n+630000000003", "firmware": "x.20", "edition": "cloud",
    } | fields  # fmt: skip


def kept(bench, **fields):
    """The page of a channel that was just saved."""
    return bench.get(post(bench, "/channels/new", 303, **screen(bench, **fields)).headers["Location"])


def files(bench):
    """The files of the lab's channels."""
    return sorted(file.name for file in (bench.lab.directory / "channels").glob("*"))


def complaints(page):
    """What the screen lists as wrong."""
    return [words(one) for one in re.findall(r"<li>(.*?)</li>", page.partition("Not saved")[2].partition("</ul>")[0])]


def test_save_keeps_the_channel_and_verifies_it_both_ways(sender):
    """A file as `--channel` wants it, key beside it, all for its owner only; and both forms pass."""
    page = kept(sender, to=TO, only_to="+63*", **{"habit.timeout": "5", "habit.retry_statuses": "429, 503"})

    folder = sender.lab.directory / "channels"
    channel = channels.load(folder / "front-desk.toml")
    assert (channel.name, channel.key, channel.send_rate) == ("Front desk", sender.lab.target.key, 2.5)
    assert (channel.numbers, channel.only_to) == (("+630000000002", "+630000000003"), ("+63*",))
    assert (channel.habits.timeout, channel.habits.retry_statuses) == (5.0, (429, 503))
    assert files(sender) == ["front-desk.json", "front-desk.key", "front-desk.toml"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "Passed with a challenge" in words(page)
    assert "Passed without a challenge" in words(page)


def test_the_channel_can_be_sent_through(sender):
    """Its first number is the sender, its name a choice in Compose."""
    kept(sender)

    page = sent(sender, channel="front-desk", text="Hello")

    (attempt,) = sender.pbx.attempts()
    assert (attempt.from_number, attempt.status) == ("+630000000002", 200)
    assert '<option value="front-desk" selected>Front desk</option>' in page


def test_a_wrong_key_is_kept_and_what_failed_is_said(sender):
    """A tester needs wrong channels too: saved, listed as failed, with the requirement that was not met."""
    page = words(kept(sender, key=KEY))

    for form in ("with a challenge", "without a challenge"):
        assert f"Failed {form}: The provider rejects the API key (HTTP 401)." in page
    assert "verification failed" in words(sender.get("/channels"))


def test_nobody_at_the_address_is_said(sender):
    """No answer is a failed verification, not an accident."""
    page = kept(sender, verify_url="http://127.0.0.1:9/verify")
    assert "Failed with a challenge: The provider refuses connections." in words(page)


@pytest.mark.parametrize(
    ("fields", "sentences"),
    [
        ({"key": "", "name": "", "numbers": "0917"},
         ["The channel needs an API key.", "The channel needs a name.", "Numbers must be in E.164 (+63...): '0917'."]),
        ({"send_url": ""}, ["The channel needs an API address for sending messages."]),
        ({"send_url": "ftp://127.0.0.1/"}, ["send_url must be an http or https URL without credentials"]),
        ({"send_url": "http://127.0.0.1:99999/"}, ["a port from 1 to 65535"]),
        ({"key": "two words"}, ["The API key must be one line of printable ASCII without blanks."]),
        ({"send_rate": "quick"}, ["send_rate must be messages per second"]),
        ({"send_rate": "NaN"}, ["send_rate must be messages per second"]),
        ({"firmware": "x.14", "verify_url": ""}, ["cannot save a channel without verify_url", "without a secret"]),
        ({"habit.retries": "two"}, ["habits.retries cannot be 'two'"]),
        ({"habit.retry_timeouts": "perhaps"}, ["habits.retry_timeouts cannot be 'perhaps'"]),
        ({"only_to": "everybody"}, ["only_to is a list of numbers"]),
        ({"send_url": "https://sms.invalid/send"}, ["sms.invalid is not this machine. Start the console with"]),
        ({"verify_url": "https://sms.invalid/verify"}, ["sms.invalid is not this machine."]),
        ({"name": "lab"}, ["There is a channel called lab already."]),
    ],
    ids=str,
)  # fmt: skip
def test_what_the_screen_refuses_is_one_list(fields, sentences, sender):
    """Nothing is written; what was typed is still there, but for the key."""
    page = post(sender, "/channels/new", 422, **screen(sender, **{"key": KEY} | fields)).text

    found = complaints(page)
    assert len(found) == len(sentences), found
    assert all(sentence in one for sentence, one in zip(sentences, found, strict=True)), found
    assert files(sender) == []
    assert KEY not in page
    assert f'value="{fields.get("name", "Front desk")}"' in page


def test_a_secret_is_kept_as_the_key_is(sender):
    """Firmware x.14 wants one; it is in no page and in a file of its own."""
    page = kept(sender, firmware="x.14", secret="hush-hush")

    assert (sender.lab.directory / "channels" / "front-desk.secret").read_text() == "hush-hush\n"
    assert "hush-hush" not in page
    assert channels.load(sender.lab.directory / "channels" / "front-desk.toml").secret == "hush-hush"


def test_a_change_keeps_what_was_left_empty(sender):
    """Key and secret stay unless others are typed; everything else is as the form says."""
    kept(sender, firmware="x.14", secret="hush-hush", **{"habit.retries": "2"})
    file = sender.lab.directory / "channels" / "front-desk.toml"
    post(sender, "/channels/front-desk", 303, **screen(sender, key="", name="Reception", firmware="x.14"))

    channel = channels.load(file)
    assert (channel.name, channel.key, channel.secret) == ("Reception", sender.lab.target.key, "hush-hush")
    assert channel.habits.retries == 0
    post(sender, "/channels/front-desk", 303, **screen(sender, key=KEY, firmware="x.14"))
    assert channels.load(file).key == KEY


def test_a_file_made_by_hand_keeps_its_own_places(sender):
    """A key file elsewhere stays where it is, and is read from there."""
    folder = sender.lab.directory / "channels"
    folder.mkdir()
    (folder / "desk.toml").write_text(
        f'name = "Desk"\nsend_url = "{sender.lab.target.send_url}"\nkey_file = "../key"\nnumbers = ["+630000000002"]\n'
    )
    assert "Desk" in sender.get("/channels")
    post(sender, "/channels/desk", 303, **screen(sender, key=""))

    assert tomllib.loads((folder / "desk.toml").read_text())["key_file"] == "../key"
    assert "Passed with a challenge" in words(sender.get("/channels/desk"))


def test_without_an_address_to_verify_at_there_is_nothing_to_verify(sender):
    """Firmware x.20 may do without."""
    page = words(kept(sender, verify_url=""))

    assert "no address to verify at" in page
    assert "Failed" not in page


def test_the_key_is_shown_when_asked_for(sender):
    """Masked on every page, whole in the answer to Reveal, which nothing may keep."""
    key = sender.lab.target.key
    kept(sender)
    for path in ("/channels", "/channels/front-desk", "/channels/lab", "/channels/new", "/compose"):
        assert key not in sender.get(path)
    assert f"\u2022\u2022\u2022\u2022{key[-4:]}" in sender.get("/channels/front-desk")

    for name in ("front-desk", "lab"):
        answer = post(sender, f"/channels/{name}/key")
        assert f"<code data-copy>{key}</code>" in answer.text
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_short_key_shows_none_of_its_letters(sender):
    """Of a key of a few letters, four would be half."""
    assert f"<code>{HIDDEN}</code>" in kept(sender, key="ysk_short")


def test_a_channel_is_deleted_after_a_question(sender):
    """A page asks; the answer removes every file of the channel and none of another's."""
    kept(sender)
    kept(sender, name="Front")
    assert "Delete Front desk?" in sender.get("/channels/front-desk/delete")
    assert "front-desk.key" in files(sender)

    page = sender.get(post(sender, "/channels/front-desk/delete", 303).headers["Location"])

    assert "The channel Front desk is deleted, and its key with it." in page
    assert files(sender) == ["front.json", "front.key", "front.toml"]


@pytest.mark.parametrize("path", ["/channels/lab", "/channels/lab/delete"])
def test_the_lab_is_not_changed_here(path, sender):
    """Its own channel is its target file."""
    assert "it is not changed here" in post(sender, path, 403).text


def test_the_lab_can_be_verified(sender):
    """Its own channel like any other."""
    page = words(sender.get(post(sender, "/channels/lab/verify", 303).headers["Location"]))

    assert "Passed with a challenge" in page
    assert "smslab pbx verify --target" in page


def test_a_file_that_is_no_channel_is_said_and_can_be_deleted(sender):
    """It is listed with what is wrong with it; nothing is sent through it."""
    folder = sender.lab.directory / "channels"
    folder.mkdir()
    (folder / "broken.toml").write_text("name = ")
    (folder / "No Name Of Ours.toml").write_text("")

    assert "broken.toml: Invalid value" in html.unescape(sender.get("/channels"))
    assert "broken.toml: Invalid value" in html.unescape(sender.get("/channels/broken"))
    assert "broken.toml: Invalid value" in html.unescape(
        post(sender, "/compose/send", 403, channel="broken", text="x").text
    )
    post(sender, "/channels/broken/verify", 403)
    post(sender, "/channels/broken/delete", 303)
    assert files(sender) == ["No Name Of Ours.toml"]


@pytest.mark.parametrize("name", ["nothing", "..%2F..%2Flab", "a.b", "A", "-", "%00"])
def test_only_names_of_ours_lead_to_files(name, sender):
    """Whatever else an address says, there is no such channel."""
    assert sender.client.get(f"/channels/{name}").status_code == 404
    assert post(sender, f"/channels/{name}/delete", 404).status_code == 404


def test_a_lab_on_another_machine_has_nothing_verified(tmp_path):
    """Neither Save nor Verify asks a provider that nobody owns."""
    lab = LabView(target("https://sms.invalid/send"), tmp_path / "lab.toml")
    with open_bench(lab, tmp_path / "i.sqlite") as bench:
        post(bench, "/channels/lab/verify", 403)
        post(bench, "/channels/new", 403, **screen(bench, verify_url=""))

        assert files(bench) == []


def test_hidden_numbers_are_hidden_here_too(sender):
    """With numbers hidden a channel is shown and not changed."""
    kept(sender, to="+639170000009")
    sender.client.set_cookie("redact", "1")

    for path in ("/channels", "/channels/front-desk", "/channels/new", "/channels/lab"):
        page = sender.get(path)
        assert not [one for one in ("+630000000002", "+639170000009", TO, "+630000000001") if one in page]
    assert "+6300******02" in sender.get("/channels")
