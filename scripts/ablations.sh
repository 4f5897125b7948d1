#!/usr/bin/env bash
# All ablations of the method, or some, one sweep after another, each with its report:
#
#   scripts/ablations.sh [serial|gpus|slurm] [OVERRIDES]
#
#   scripts/ablations.sh gpus experiment=spacenet dataset.raw=DIR
#   AXES="stacks backbones" SEEDS=0,1 scripts/ablations.sh slurm hydra.launcher.partition=gpu
#
# The same command goes on where it was ended; sweep.dry_run=true only tells what there is to do.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-.venv/bin/python}
SEEDS=${SEEDS:-0,1,2}
AXES=${AXES:-global_aware stacks connectivity connectivity_classes connectivity_weight intermediate \
    loss_terms backbones label_width decoding}

launcher=${1:-serial}
shift || true
case $launcher in
serial) launcher=basic ;;
gpus | slurm) ;;
*) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

recipe= others=()
for override in "$@"; do
    case $override in
    experiment=*) recipe=${override#experiment=} ;;
    *) others+=("$override") ;;
    esac
done

failed=0
for axis in $AXES; do
    name=$axis${recipe:+_$recipe}
    echo "== $name"
    "$PYTHON" -m roadex.train -m "experiment=[${recipe:+$recipe,}ablation/$axis]" "name=$name" \
        "seed=$SEEDS" "hydra/launcher=$launcher" "${others[@]}" || failed=1
    [[ " ${others[*]} " == *" sweep.dry_run=true "* ]] && continue
    "$PYTHON" -m roadex.report "runs=multirun/$name" "out=multirun/$name/report" || failed=1
done
exit $failed
