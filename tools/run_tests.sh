#!/usr/bin/env bash
# Install, lint and test: bash tools/run_tests.sh [arguments of pytest]
# Before a release, with the tests that are marked as slow: TEST_SLOW=1
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_env.sh"
cd "$ROOT"
make_venv .venv requirements/tested.txt requirements/lint.txt \
    requirements/oracles.txt
export PATH="$ROOT/.venv/bin:$PATH"
unset PYTHON  # the tests start our tools, with the python of this venv
ruff check .
ruff format --check .
codespell
pylint --disable=all --enable=duplicate-code --min-similarity-lines=8 \
    mmvidadapt tools
# Two at a time: they compute on one thread and need 3 GiB each.
python -m pytest -q -n "${TEST_PROCESSES:-2}" --dist loadfile \
    -m "${TEST_SLOW:+slow or }not slow" "$@"
