"""How much redaction finds of what it was not shown: at least so much of each set."""

import pytest

from ccship.privacy.redact import Redactor
from recall.sets import SETS, found

GOALS = {"named": 0.99, "carriers": 0.97, "bare": 0.85, "formats": 0.95}


@pytest.mark.parametrize("group", SETS)
def test_recall_stays_above_its_goal(group: str) -> None:
    """The share of made-up secrets that are gone; the message names the rules and formats that lose most."""
    number, missed = found(SETS[group](), Redactor().text)
    assert number > 1_000
    assert 1 - missed.total() / number >= GOALS[group], missed.most_common(10)


NAMES = (
    *("REDIS_CACHE_PASSWORD", "KEYSTORE_FILE_PASSWORD", "MESSAGE_BROKER_PASSWORD", "URL_SIGNING_SECRET", "FORM_SECRET"),
    *("STRIPE_ENDPOINT_SECRET", "NEXT_AUTH_SECRET", "INPUT_TOKEN", "storePassword", "cachePassword", "publicApiSecret"),
    *("urlSecret", "password_prod", "SECRET_KEY_BASE", "db_password_2", "clientSecretValue", "mysqlpass", "smtp_pw"),
    *("preSharedKey", "ENCRYPTION_KEY", "x-auth-token", "botToken", "ansible_become_pass", "keystorePass", "Passwort"),
)
NO_NAMES = (
    *("PASSWORD_CACHE", "passwordField", "secret_name", "token_count", "secretFile", "password_hash", "key_id"),
    *(
        "cache_key",
        "public_key",
        "PRIMARY_KEY_NAME",
        "next_token",
        "nextPageToken",
        "input_tokens",
        "bypass",
        "compass",
    ),
    *(
        "forgot_password",
        "isSecret",
        "password_min_length",
        "SECRET_STORE",
        "tokenizer",
        "keyboard",
        "monkey",
        "passage",
    ),
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_whose_last_noun_is_a_secret_says_so(name: str) -> None:
    """Whatever other words come before it, in an assignment, in JSON and as a key of a dict."""
    secret = "Tr0ub4dor" + "Zq7x"
    for text in (f"{name}={secret}", f'{{"{name}": "{secret}"}}', f"{name}: {secret}"):
        assert secret not in Redactor().text(text)
    assert Redactor().value({name: secret}) == {name: "[redacted:named-secret]"}


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_whose_last_noun_is_something_else_does_not(name: str) -> None:
    """`PASSWORD_CACHE` is a cache."""
    for text in (f"{name}=ab12cd34", f'{{"{name}": "ab12cd34"}}', f"{name}: ab12cd34"):
        assert Redactor().text(text) == text
    assert Redactor().value({name: "ab12cd34"}) == {name: "ab12cd34"}


def test_a_value_whose_name_is_another_item_of_its_dict_is_redacted() -> None:
    """As APIs list variables, parameters and headers; in any order."""
    mark = "[redacted:named-secret]"
    given = [
        {"name": "DB_PASSWORD", "value": "hunter2"},
        {"Value": "hunter2", "Name": "client_secret"},
        {"ParameterKey": "DBPassword", "ParameterValue": "hunter2"},
        {"db_password": {"value": "hunter2", "type": "text"}},
        {"name": "PORT", "value": "3000"},
    ]
    assert Redactor().value(given) == [
        {"name": "DB_PASSWORD", "value": mark},
        {"Value": mark, "Name": "client_secret"},
        {"ParameterKey": "DBPassword", "ParameterValue": mark},
        {"db_password": {"value": mark, "type": "text"}},
        {"name": "PORT", "value": "3000"},
    ]


def test_all_data_of_a_kubernetes_secret_is_redacted() -> None:
    """Whatever its keys are called; nothing of another kind."""
    secret = {"kind": "Secret", "metadata": {"name": "db"}, "data": {"uri": "eDov", "user": "YWRh"}, "type": "Opaque"}
    mark = "[redacted:named-secret]"
    assert Redactor().value(secret) == {**secret, "data": {"uri": mark, "user": mark}}
    other = {**secret, "kind": "ConfigMap"}
    assert Redactor().value(other) == other
