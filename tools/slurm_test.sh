#!/usr/bin/env bash
# Test under Slurm.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_launch.sh"
need 4 "[GPUS= GPUS_PER_NODE= CPUS_PER_TASK= SRUN_ARGS=] slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [arguments of test.py]" "$@"
launch_slurm "$1" "$2" test.py "${@:3}"
