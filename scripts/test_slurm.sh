#!/usr/bin/env bash
# scripts/test_slurm.sh PYTHON: the tests that want a SLURM, with one started for them and ended after.
set -euo pipefail
cd "$(dirname "$0")/.."
export ROADEX_SLURM=${ROADEX_SLURM:-$(mktemp -d /tmp/roadex-slurm.XXXXXX)}
trap 'scripts/slurm_local.sh stop' EXIT
code=0
scripts/slurm_local.sh start || code=$?
if [ "$code" = 77 ]; then
    echo "the SLURM tests are skipped"
    exit 0
fi
[ "$code" = 0 ]
SLURM_CONF=$ROADEX_SLURM/slurm.conf "$1" -m pytest -m slurm -rs tests/sweep/test_slurm.py tests/prediction/test_slurm_workers.py
