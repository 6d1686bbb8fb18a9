from pathlib import Path

import pytest

from faults.case import Case
from loopback import LoopbackLangfuse


@pytest.fixture
def case(tmp_path: Path, langfuse: LoopbackLangfuse) -> Case:
    """A session of four turns that nobody has shipped yet."""
    return Case(tmp_path, langfuse)
