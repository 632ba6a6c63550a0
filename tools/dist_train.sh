#!/usr/bin/env bash
# Train with several processes: GPUs, or CPU where there is none.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_launch.sh"
need 2 "[NNODES= NODE_RANK= MASTER_ADDR= PORT=] dist_train.sh CONFIG PROCESSES [arguments of train.py]" "$@"
launch_dist "$2" train.py "$1" "${@:3}"
