# The commands people type. `just` is one of many packages, or `uvx --from rust-just just`.

# List the recipes
default:
    @just --list

# Lint, format check, types, layers and spelling
check:
    uv run ruff check
    uv run ruff format --check
    uv run mypy
    uv run lint-imports
    uv run codespell

# Format the code
format:
    uv run ruff check --fix
    uv run ruff format

# Run the default tests, or those that are named
test *tests:
    uv run pytest {{ tests }}

# Run the slow tests: crashes, crowds, random sequences
slow:
    uv run pytest -m "slow and not e2e and not bench"

# Run the benchmarks; wants the machine for itself
bench:
    uv run pytest -n 0 -m bench

# Measure branch coverage of the default tests, with every process that they start; tests of imports fail
coverage:
    uv run pytest --cov --cov-config=tests/processes.coveragerc --cov-report=term-missing:skip-covered

# Write golden files and recorded screens anew; the diff is the review
golden:
    uv run python tests/record_pictures.py
    uv run pytest --update-golden -n 0 tests

# Run everything that a change must pass
ci:
    .ci/run
