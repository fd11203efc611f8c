"""Settings: read once from the environment, each documented, and a wrong one is said in a sentence."""

from dataclasses import FrozenInstanceError, fields

import pytest

from gateway.settings import Settings, from_env, variable

NUMBERS = [one.name for one in fields(Settings) if type(one.default) in (int, float)]
AT_LEAST_ONE = ["carrier_batch", "carrier_workers", "threads"]


def test_without_an_environment_everything_has_a_default():
    """A newcomer sets nothing."""
    assert from_env({"PATH": "/bin", "SMSLAB": "x"}) == Settings()


@pytest.mark.parametrize("name", [one.name for one in fields(Settings)])
def test_each_setting_is_documented(name):
    """Each says in a phrase what it is for."""
    [setting] = [one for one in fields(Settings) if one.name == name]
    assert len(setting.metadata["help"]) > 10
    assert variable(name) == f"SMSLAB_{name.upper()}"


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("backlog_cap", "5", 5),
        ("validity", "0.5", 0.5),
        ("unsafe_durability", "1", True),
        ("unsafe_durability", "false", False),
        ("pin", "0", False),
        ("carrier_url", "https://carrier.example:8443/x", "https://carrier.example:8443/x"),
        ("crash_point", "after-commit:7", "after-commit:7"),
    ],
)
def test_each_is_read_from_its_variable(name, raw, value):
    """Numbers become numbers, switches switches."""
    assert getattr(from_env({variable(name): raw}), name) == value


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("raw", ["", "x", "-1", "nan", "inf", "1e999", "0x10", "1,5"])
def test_a_number_that_is_none_is_named(name, raw):
    """The sentence begins with the variable and says what it should have been."""
    with pytest.raises(ValueError, match=rf"^{variable(name)} must be "):
        from_env({variable(name): raw})


@pytest.mark.parametrize("name", AT_LEAST_ONE)
def test_nothing_can_be_done_with_none(name):
    """No thread, no worker and an empty batch would be a gateway that does nothing."""
    with pytest.raises(ValueError, match="must be at least 1"):
        from_env({variable(name): "0"})


@pytest.mark.parametrize("raw", ["", "yes", "on", "2", "tru"])
def test_a_switch_is_one_or_zero(raw):
    """What is meant by yes or 2 is not guessed where durability depends on it."""
    with pytest.raises(ValueError, match=r"^SMSLAB_UNSAFE_DURABILITY must be 0 or 1$"):
        from_env({"SMSLAB_UNSAFE_DURABILITY": raw})


@pytest.mark.parametrize(
    "raw", ["", "carrier", "ftp://x", "http://", "http://[", "//x", "http://x:99999", "http://x:y"]
)
def test_a_carrier_has_an_address(raw):
    """Better not to start than never to deliver."""
    with pytest.raises(ValueError, match=r"^SMSLAB_CARRIER_URL must be an http"):
        from_env({"SMSLAB_CARRIER_URL": raw})


@pytest.mark.parametrize("raw", ["nowhere", "after-commit:x", ":1"])
def test_a_crash_point_is_one_that_exists(raw):
    """A chaos run that never crashes would prove nothing."""
    with pytest.raises(ValueError, match=r"^SMSLAB_CRASH_POINT must be one of "):
        from_env({"SMSLAB_CRASH_POINT": raw})


def test_settings_do_not_change():
    """One frozen object per process."""
    with pytest.raises(FrozenInstanceError):
        Settings().pin = False


def test_secrets_are_not_shown():
    """Not even by accident, in a log or a traceback."""
    secrets = [one.name for one in fields(Settings) if one.metadata.get("secret")]
    shown = repr(Settings(**dict.fromkeys(secrets, "canary")))
    assert (len(secrets), "canary" in shown) == (3, False)
