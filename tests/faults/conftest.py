from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.case import Case
from faults.quick import QuickCase, Warm, warm_interpreter
from loopback import LoopbackLangfuse


@pytest.fixture
def case(tmp_path: Path, langfuse: LoopbackLangfuse) -> Case:
    """A session of four turns that nobody has shipped yet."""
    return Case(tmp_path, langfuse)


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """An interpreter that has loaded what hooks need."""
    with warm_interpreter() as started:
        yield started


@pytest.fixture
def quick(tmp_path: Path, langfuse: LoopbackLangfuse, warm: Warm) -> QuickCase:
    """The same session, with hooks that start at once."""
    return QuickCase(tmp_path, langfuse, warm)
