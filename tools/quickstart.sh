#!/usr/bin/env bash
# From an empty machine to a trained and tested AIM on videos:
#     bash tools/quickstart.sh [FOLDER]
# FOLDER, by default ./quickstart, holds everything that is made. A finished
# stage is not repeated and an interrupted one goes on, unless the clips, a
# config of the quick start or the version has changed: then the stages start
# anew, as they do when FOLDER is deleted.
# PYTHON=... chooses the Python, PROCESSES=... how many processes train.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_env.sh"

mkdir -p "${1:-quickstart}/logs"
QUICKSTART="$(cd "${1:-quickstart}" && pwd)"
export QUICKSTART  # the configs read it
CLIPS="$QUICKSTART/clips" LOGS="$QUICKSTART/logs"
CONFIGS="$ROOT/configs/quickstart"

# fail STAGE: show the end of its log, and stop.
fail() {
    tail -n 25 "$LOGS/$1.log" >&2
    echo "error: the stage '$1' failed; its whole output: $LOGS/$1.log" >&2
    exit 1
}

# stage NAME COMMAND...: run a command once, with its output in a log.
stage() {
    local name=$1 mark="$LOGS/$1" start=$SECONDS
    shift
    if [ "$(cat "$mark.done" 2>/dev/null)" = "$KEY" ]; then
        echo "$name: done before"
        return
    fi
    if [ "$(cat "$mark.begun" 2>/dev/null)" != "$KEY" ]; then
        rm -rf "${QUICKSTART:?}/$name" "$mark.log"  # of another key
    fi
    echo "$KEY" >"$mark.begun"
    echo "$name ..."
    "$@" 2>&1 | tee -a "$mark.log" | show_progress || fail "$name"
    echo "$((SECONDS - start)) s" >"$mark.seconds"
    echo "$KEY" >"$mark.done"
}

# show_progress: of a training log, the accuracies.
show_progress() {
    grep --line-buffered -oE 'Epoch\(val\) .*acc/top1: [0-9.]+' || true
}

# top1 STAGE: the last accuracy in its log, in per cent.
top1() {
    grep -oE 'acc/top1: [0-9.]+' "$LOGS/$1.log" | tail -n 1 |
        awk '{printf "%.1f%%", 100 * $2}'
}

train() {
    bash "$ROOT/tools/dist_train.sh" "$CONFIGS/$1" "$PROCESSES" \
        --work-dir "$2" --resume
}

classify() {
    "$PYTHON" "$ROOT/tools/inference.py" "$CLIPS/videos/val_0000_left.mp4" \
        "$CONFIGS/aim_motion.py" "$CHECKPOINT" \
        --label-file "$CLIPS/motion_classes.txt" --out "$1"
}

report() {
    "$PYTHON" "$ROOT/tools/motion_report.py" \
        "$CONFIGS/aim_motion.py" "$CHECKPOINT" "$1" &&
        "$PYTHON" "$ROOT/tools/report.py" \
            "$CONFIGS/aim_motion.py" "$CHECKPOINT" "$1" \
            --labels "$CLIPS/motion_classes.txt" --group-pattern 'val_(\d+)' \
            --title 'Quick start: ten motions'
}

summary() {
    echo "== seconds"
    for name in install clips trunk aim test classify report; do
        printf '%-26s%6s\n' "$name" "$(cat "$LOGS/$name.seconds")"
    done
    echo "== accuracy on 120 validation clips"
    printf '%-26s%6s\n' 'appearance, one frame' "$(top1 trunk)" \
        'motion, AIM, 8 frames' "$(top1 test)"
    echo "== order of frames"
    sed -n '/^plain frames/,/opposite motion/p' "$LOGS/report.log"
    echo "== one clip"
    grep -A 5 'val_0000_left' "$LOGS/classify.log"
    echo "== files"
    echo "$QUICKSTART/report/report.html"
    echo "$QUICKSTART/report/confusion_matrix.png"
    echo "$QUICKSTART/classify/annotated.mp4"
    echo "$CHECKPOINT"
}

echo "install ... (packages, once; $QUICKSTART/venv)"
make_venv "$QUICKSTART/venv" "$ROOT/requirements/tested.txt" \
    >"$LOGS/install.log" 2>&1 || fail install
if [ "$SECONDS" -gt 5 ] || [ ! -e "$LOGS/install.seconds" ]; then
    echo "$SECONDS s" >"$LOGS/install.seconds"
fi
export PYTHON="$QUICKSTART/venv/bin/python"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"  # small models, few cores
KEY="$(fingerprint "$CONFIGS"/{trunk_appearance,aim_motion}.py \
    "$ROOT"/configs/_base_/{data,views,models}/quickstart*.py \
    "$ROOT"/configs/_base_/{runtime*,schedules/adamw_warm4_100e}.py \
    "$ROOT"/mmvidadapt/datasets/motion_*.py "$ROOT/mmvidadapt/version.py")"
# As many processes as GPUs, at most two; two where there is none.
PROCESSES="${PROCESSES:-$("$PYTHON" -c 'import torch
print(min(torch.cuda.device_count() or 2, 2))')}"

stage clips "$PYTHON" -m mmvidadapt.datasets.motion_clips "$CLIPS"
stage trunk train trunk_appearance.py "$QUICKSTART/trunk"
stage aim train aim_motion.py "$QUICKSTART/aim"
CHECKPOINT="$(cat "$QUICKSTART/aim/last_checkpoint")"
stage test bash "$ROOT/tools/dist_test.sh" "$CONFIGS/aim_motion.py" \
    "$CHECKPOINT" "$PROCESSES" --work-dir "$QUICKSTART/test"
stage classify classify "$QUICKSTART/classify/annotated.mp4"
stage report report "$QUICKSTART/report"
summary | tee "$QUICKSTART/summary.txt"
