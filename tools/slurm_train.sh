#!/usr/bin/env bash
# Train under Slurm.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_launch.sh"
need 3 "[GPUS= GPUS_PER_NODE= CPUS_PER_TASK= SRUN_ARGS=] slurm_train.sh PARTITION JOB_NAME CONFIG [arguments of train.py]" "$@"
launch_slurm "$1" "$2" train.py "${@:3}"
