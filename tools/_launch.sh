# Sourced by dist_*.sh and slurm_*.sh: how processes are started.

TOOLS="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
PYTHON="${PYTHON:-python}"
# A checkout works without being installed.
if [ -f "$TOOLS/../mmvidadapt/__init__.py" ]; then
    export PYTHONPATH="$(dirname "$TOOLS")${PYTHONPATH:+:$PYTHONPATH}"
fi

# launch_dist PROCESSES SCRIPT ARGUMENTS...: torchrun on this machine, which
# is number NODE_RANK of NNODES. With one machine and no PORT, torchrun takes
# a free port by itself.
launch_dist() {
    local processes=$1 script=$2
    shift 2
    local where=(--rdzv-backend=c10d --rdzv-endpoint=localhost:0
                 --local-addr=127.0.0.1)
    if [ "${NNODES:-1}" != 1 ] || [ -n "${PORT:-}" ]; then
        where=(--node-rank="${NODE_RANK:-0}" --master-port="${PORT:-29500}"
               --master-addr="${MASTER_ADDR:-127.0.0.1}")
    fi
    # torchrun passes them on to the processes, which save what was trained.
    local signals=SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1
    export PET_SIGNALS_TO_HANDLE="${PET_SIGNALS_TO_HANDLE:-$signals}"
    exec "$PYTHON" -m torch.distributed.run --nnodes="${NNODES:-1}" \
        --nproc-per-node="$processes" "${where[@]}" \
        "$TOOLS/$script" "$@" --launcher pytorch
}

# launch_slurm PARTITION JOB_NAME SCRIPT ARGUMENTS...: srun with GPUS processes.
launch_slurm() {
    local partition=$1 name=$2 script=$3
    shift 3
    export MASTER_PORT="${MASTER_PORT:-$((12000 + RANDOM % 20000))}"
    # shellcheck disable=SC2086  # SRUN_ARGS holds several arguments
    exec srun -p "$partition" --job-name="$name" \
        --gres=gpu:"${GPUS_PER_NODE:-8}" --ntasks="${GPUS:-8}" \
        --ntasks-per-node="${GPUS_PER_NODE:-8}" \
        --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 \
        ${SRUN_ARGS:-} \
        "$PYTHON" -u "$TOOLS/$script" "$@" --launcher slurm
}

# need COUNT USAGE ARGUMENTS...: stop with the usage when there are too few.
need() {
    local count=$1 usage=$2
    shift 2
    if [ $# -lt "$count" ]; then
        echo "usage: $usage" >&2
        exit 2
    fi
}
