#!/usr/bin/env bash
# Test with several processes: GPUs, or CPU where there is none.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_launch.sh"
need 3 "[NNODES= NODE_RANK= MASTER_ADDR= PORT=] dist_test.sh CONFIG CHECKPOINT PROCESSES [arguments of test.py]" "$@"
launch_dist "$3" test.py "$1" "$2" "${@:4}"
