"""`[[budgets]]` of config.toml."""

from pathlib import Path

import pytest

from ccship import config
from ccship.config.budgets import Budget
from ccship.errors import ConfigError


def budgets_in(folder: Path, text: str) -> tuple[Budget, ...]:
    file = folder / "config.toml"
    file.write_text(text)
    return config.load({"CC_LANGFUSE_CONFIG": str(file), "HOME": str(folder)}).budgets


def test_a_budget_has_a_name_a_period_and_an_amount(tmp_path: Path) -> None:
    """The rest is optional; a single text counts as a list."""
    (tmp_path / "hook").write_text("https://hooks.example/secret\n")
    plain, narrow = budgets_in(
        tmp_path,
        f"""
[[budgets]]
name = "all"
period = "month"
usd = 200

[[budgets]]
name = "acme"
period = "day"
usd = 12.5
projects = "{tmp_path}/acme/**"
branches = ["feature/*"]
webhook_file = "{tmp_path}/hook"
command = ["/usr/bin/notify", "--now"]
""",
    )
    assert (plain.name, plain.period, plain.usd, plain.webhook, plain.command) == ("all", "month", 200, None, ())
    assert plain.covers(None, "anything")
    assert (narrow.webhook, narrow.command) == ("https://hooks.example/secret", ("/usr/bin/notify", "--now"))
    assert narrow.covers(f"{tmp_path}/acme/web", "feature/x")
    assert not narrow.covers(f"{tmp_path}/acme/web", "main")
    assert not narrow.covers(f"{tmp_path}/other", "feature/x")
    assert "secret" not in repr(narrow)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ('period = "day"\nusd = 1', "name is missing"),
        ('name = "b"\nperiod = "year"\nusd = 1', "period is invalid: expected day, week or month"),
        ('name = "b"\nperiod = "day"\nusd = 0', "usd is invalid: expected a number of dollars above 0"),
        ('name = "b"\nperiod = "day"\nusd = inf', "usd is invalid"),
        ('name = "b"\nperiod = "day"\nusd = 1\nlimit = 2', "unknown setting 'limit'"),
        ('name = "b"\nperiod = "day"\nusd = 1\nprojects = ["acme"]', "'acme' is not a path pattern"),
        ('name = "b"\nperiod = "day"\nusd = 1\nwebhook = "http://far.example/s3cret"', "webhook is invalid: expected"),
        ('name = "b"\nperiod = "day"\nusd = 1\nwebhook_file = "/nowhere"', "/nowhere, which cannot be read"),
        ('name = "b"\nperiod = "day"\nusd = 1\ncommand = ["notify-send"]', "write the absolute path of the program"),
        (
            'name = "b"\nperiod = "day"\nusd = 1\nwebhook = "https://a.example"\nwebhook_file = "/b"',
            "webhook and webhook_file are both set",
        ),
        ('name = "b"\nperiod = "day"\nusd = 1\n[[budgets]]\nname = "b"\nperiod = "week"\nusd = 1', "two budgets"),
    ],
)
def test_an_invalid_budget_says_what_is_expected(lines: str, reason: str, tmp_path: Path) -> None:
    """Without the value, which may be secret."""
    with pytest.raises(ConfigError, match=r"config\.toml") as raised:
        budgets_in(tmp_path, f"[[budgets]]\n{lines}\n")
    assert reason in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_a_budget_that_is_no_table_is_refused(tmp_path: Path) -> None:
    """With the fix."""
    with pytest.raises(ConfigError, match=r"write each budget as its own \[\[budgets\]\] table"):
        budgets_in(tmp_path, "budgets = 3\n")


def test_settings_load_although_a_budget_is_invalid(tmp_path: Path) -> None:
    """Nothing about money keeps a turn from being shipped."""
    file = tmp_path / "config.toml"
    file.write_text('trace = true\n[[budgets]]\nname = "b"\n')
    assert config.load({"CC_LANGFUSE_CONFIG": str(file), "HOME": str(tmp_path)}).opted_in
