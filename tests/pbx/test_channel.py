"""A channel file is what the PBX's screen would save, and nothing else."""

from pathlib import Path

import pytest

from simulator.pbx import channel as channels

GOOD = """
name = "FutureSMS"
send_url = "http://127.0.0.1:8080/send"
verify_url = "http://127.0.0.1:8080/verify"
key_env = "CHANNEL_KEY"
numbers = ["+630000000001", "+639171234560"]
send_rate = 5
firmware = "x.20"
edition = "appliance"

[habits]
media_urls = "null"
retries = 2
success = [200, 201]
clock_offset = -3600
"""
ENVIRON = {"CHANNEL_KEY": "ysk_secret", "CHANNEL_SECRET": "hush"}


def _load(tmp_path, text):
    path = tmp_path / "channel.toml"
    path.write_text(text, encoding="utf-8")
    return channels.load(path, ENVIRON)


def test_good_channel_becomes_a_target(tmp_path):
    """Every field arrives where the PBX uses it, and the key is in no repr."""
    channel = _load(tmp_path, GOOD)
    target = channel.target()
    assert (target.from_number, target.key, target.rate) == ("+630000000001", "ysk_secret", 5)
    assert (channel.habits.media_urls, channel.habits.retries, channel.habits.success) == ("null", 2, (200, 201))
    assert channel.habits.clock_offset == -3600.0
    assert channel.version() == "37.20.0.123"
    assert "ysk_secret" not in repr(channel) + repr(target)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"x.20"', '"x.14"', "x.14 cannot save a channel without a secret"),
        ('verify_url = "http://127.0.0.1:8080/verify"\n', 'secret_env = "CHANNEL_SECRET"\n', None),
        ('"x.20"', '"x.9"', "firmware must be one of"),
        ('"appliance"', '"basement"', "edition must be one of"),
        ('"FutureSMS"', f'"{"n" * 128}"', "longer than 127"),
        ('"FutureSMS"', '""', "needs a name"),
        ("http://127.0.0.1:8080/send", "http://sms.example/send", "insists on https"),
        ("http://127.0.0.1:8080/send", "https://my_sms.example/send", "underscore"),
        ("http://127.0.0.1:8080/send", "ftp://127.0.0.1/send", "http or https"),
        ('"+639171234560"', '"0917 123 4560"', "E.164"),
        ('["+630000000001", "+639171234560"]', "[]", "at least one number"),
        ("send_rate = 5", "send_rate = 0", "send_rate must be"),
        ("send_rate = 5", "speed = 5", "no field 'speed'"),
        ('"CHANNEL_KEY"', '"NOT_SET"', "API key is missing"),
        ("retries = 2", "retrys = 2", "habits has no 'retrys'"),
        ("retries = 2", 'retries = "two"', "habits.retries cannot be 'two'"),
        ("retries = 2", "retries = -1", "habits.retries cannot be -1"),
        ("clock_offset = -3600", "clock_offset = nan", "habits.clock_offset cannot be nan"),
        ("clock_offset = -3600", "timeout = -1", "habits.timeout cannot be -1"),
        ("clock_offset = -3600", "timeout = inf", "habits.timeout cannot be inf"),
        ('media_urls = "null"', 'media_urls = "none"', "absent, null or list"),
        ("[habits]", "[habits", "Expected"),
    ],
    ids=str,
)
def test_screen_refuses(tmp_path, old, new, complaint):
    """What the PBX's screen would refuse is refused in a sentence that names file and field."""
    assert old in GOOD
    if complaint is None:
        assert _load(tmp_path, GOOD.replace(old, new)).verify_url is None
        return
    with pytest.raises(ValueError, match=complaint) as error:
        _load(tmp_path, GOOD.replace(old, new))
    assert str(error.value).startswith("channel.toml: ")


def test_old_firmware_is_content_with_secret_and_verify_url(tmp_path):
    """x.14 saves a channel that has both of what it insists on."""
    text = GOOD.replace('"x.20"', '"x.14"').replace("key_env", 'secret_env = "CHANNEL_SECRET"\nkey_env')
    assert _load(tmp_path, text).version() == "37.14.0.24"


def test_every_habit_is_documented_with_its_assumption():
    """docs/unknowns.md names each setting of the unknown and says what it assumes."""
    page = (Path(channels.__file__).parent / "docs" / "unknowns.md").read_text(encoding="utf-8")
    for name, setting in channels.Habits.__dataclass_fields__.items():
        assert f"`{name}`" in page
        assert setting.metadata["assumption"] in page


def test_every_complaint_of_the_screen_is_a_sentence_of_its_own(tmp_path):
    """Whoever shows them in a list does not have to take a paragraph apart."""
    with pytest.raises(channels.Refused) as error:
        channels.read({"name": "", "send_url": "http://127.0.0.1/", "key_env": "CHANNEL_KEY"}, tmp_path, ENVIRON)

    assert error.value.sentences == ("The channel needs a name.", "The channel needs at least one number.")


def test_the_secret_may_be_in_a_file(tmp_path):
    """Beside the channel file, as the key may be; a file that cannot be read is said."""
    old = GOOD.replace('"x.20"', '"x.14"').replace("key_env", 'secret_file = "hush"\nkey_env')
    with pytest.raises(ValueError, match="secret file hush cannot be read"):
        _load(tmp_path, old)
    (tmp_path / "hush").write_text("hush\n")

    assert _load(tmp_path, old).secret == "hush"
