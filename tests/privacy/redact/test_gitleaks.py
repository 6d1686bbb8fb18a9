"""The vendored rules of gitleaks: the data is whole, and what it describes is found."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ccship.privacy.redact
from ccship.privacy.redact import Redactor, gitleaks
from ccship.privacy.redact.scan import Scan
from conftest import ROOT
from recall.sets import bare

FOLDER = Path(ccship.privacy.redact.__file__).parent
ROWS: list[dict[str, Any]] = [*gitleaks.DATA["assigned"], *gitleaks.DATA["shaped"]]
SAMPLES = list(bare())


def row_of(row: Any) -> str:
    return row["id"] if isinstance(row, dict) else ""


@pytest.mark.parametrize("row", ROWS, ids=row_of)
def test_a_vendored_rule_has_what_it_needs(row: dict[str, Any]) -> None:
    """Patterns that compile and capture nothing, keywords in small letters, and known fields only."""
    patterns = [row["name"], row["secret"]] if "name" in row else [row["pattern"]]
    assert all(re.compile(pattern).groups == 0 for pattern in [*patterns, *row.get("allowed", ())])
    assert row["keywords"]
    assert all(len(keyword) >= 2 and keyword == keyword.lower() for keyword in row["keywords"])
    known = {"id", "keywords", "name", "secret", "pattern", "is_word", "lead", "entropy", "allowed"}
    assert set(row) <= known


def test_every_rule_of_gitleaks_is_taken_or_left_out_for_a_reason() -> None:
    """222 rules in this version; none is both."""
    taken = {row["id"] for row in ROWS}
    left_out = gitleaks.DATA["left_out"]
    assert re.fullmatch(r"v\d+\.\d+\.\d+", gitleaks.DATA["version"])
    assert not taken & set(left_out)
    assert len(taken) + len(left_out) == 222
    assert all(len(reason) > 10 for reason in left_out.values())


def test_the_licence_comes_with_the_data() -> None:
    """MIT asks for the notice in all copies."""
    licence = (FOLDER / gitleaks.LICENCE).read_text()
    assert licence.startswith("MIT License")
    assert "Zachary Rice" in licence


def test_the_docs_name_the_vendored_version() -> None:
    """A reader can look the rules up."""
    assert f"gitleaks {gitleaks.DATA['version']}" in (ROOT / "docs/privacy.md").read_text()


@pytest.mark.parametrize("rule", sorted({rule for rule, _, _ in SAMPLES}))
def test_a_vendored_rule_finds_what_it_describes(rule: str) -> None:
    """Alone in a sentence, or beside the name of its service; most of its samples, by the rule of this name."""
    scan = Scan([known for known in gitleaks.RULES if known.name == rule])
    texts = [(text, secret) for name, text, secret in SAMPLES if name == rule]
    found = [
        secret in text[finding.start : finding.end]
        for text, secret in texts
        for finding in scan.found_in(text, scan.keywords_in(text))
    ]
    assert found.count(True) >= len(texts) / 2


CONFIG = r"""
[allowlist]
regexes = ['''(?i)^null$''']
stopwords = ["stop"]

[[rules]]
id = "acme-token"
regex = '''\b(acme-(?i)[a-z0-9]{20})(?:[\x60'"\s;]|\\[nr]|$)'''
entropy = 3
keywords = ["acme-"]

[[rules]]
id = "apex-key"
regex = '''(?i)[\w.-]{0,50}?(?:apex|APEX_ID)(?:[ \t\w.-]{0,20})[\s'"]{0,3}(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"\s=]{0,5}([a-f0-9]{32})(?:[\x60'"\s;]|\\[nr]|$)'''
keywords = ["apex"]
[[rules.allowlists]]
regexes = ['''(?P<name>x|(?i)y|z)\z''']

[[rules]]
id = "generic-api-key"
regex = '''x'''
keywords = ["key"]
"""  # noqa: E501 - the patterns of gitleaks are as long as they are


def vendored(config: str, tmp_path: Path) -> dict[str, Any]:
    """What the script writes, run in a copy of the tree."""
    script = tmp_path / "tests/recall/vendor_gitleaks.py"
    script.parent.mkdir(parents=True)
    script.write_text((ROOT / "tests/recall/vendor_gitleaks.py").read_text())
    (tmp_path / "src/ccship/privacy/redact").mkdir(parents=True)
    (tmp_path / "gitleaks.toml").write_text(config)
    (tmp_path / "LICENSE").write_text("MIT License")
    command = [sys.executable, str(script), str(tmp_path / "gitleaks.toml"), "v1.2.3", str(tmp_path / "LICENSE")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(done.stderr)
    assert (tmp_path / "src/ccship/privacy/redact/gitleaks.LICENSE").read_text() == "MIT License"
    data: dict[str, Any] = json.loads((tmp_path / "src/ccship/privacy/redact/gitleaks.json").read_text())
    return data


def test_the_script_turns_a_configuration_into_data(tmp_path: Path) -> None:
    """RE2's flags in the middle apply to the end of their group; names and secrets are told apart."""
    data = vendored(CONFIG, tmp_path)
    assert data["version"] == "v1.2.3"
    assert data["allowed"] == ["(?i:^null$)"]
    assert data["shaped"] == [
        {
            "id": "acme-token",
            "keywords": ["acme-"],
            "pattern": "(?:acme-(?i:[a-z0-9]{20}))",
            "is_word": True,
            "entropy": 3,
        }
    ]
    assert data["assigned"] == [
        {
            "id": "apex-key",
            "keywords": ["apex"],
            "name": "(?i:(?:apex|APEX_ID))",
            "secret": "(?i:[a-f0-9]{32})",
            "allowed": [r"(?:x|(?i:y)|(?i:z))\Z"],
        }
    ]


def test_the_script_refuses_a_rule_that_it_does_not_understand(tmp_path: Path) -> None:
    """A new kind of rule is looked at by a person."""
    with pytest.raises(ValueError, match="apex-key: expected a name, an operator and a secret"):
        vendored(CONFIG.replace("([a-f0-9]{32})", "[a-f0-9]{32}"), tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "sentry: abcdefghijklmnopqrstuvwxyzabcdef",  # no digit
        "adafruit_key = '" + "0" * 32 + "'",  # no entropy
        "algolia_key = '${ALGOLIA_KEY}'",
        "gcp: " + "AI" + "zaSyabcdefghijklmnopqrstuvwxyz1234567",  # gitleaks allows it by name
    ],
)
def test_thresholds_and_allowlists_apply(text: str) -> None:
    """They are part of the data."""
    assert Redactor().text(text) == text
