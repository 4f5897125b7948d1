#!/usr/bin/env bash
# The studies on the built-in world, each by one command: scripts/studies.sh NAME [OVERRIDES]
#
#   rivals        every model at equal training time (conf/experiment/study says the epochs)
#   connectivity  each architecture with and without the connectivity task
#   context       the gates of the global-aware module x the number of stacks
#   losses        what terms that see topology add
#
# SEEDS=0,1,2 by default. A finished run is skipped, so the same command goes on where it was. Then:
#   python -m roadex.report runs=multirun/study_NAME out=experiments/NAME
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-.venv/bin/python}
SEEDS=${SEEDS:-0,1,2}
STACKED=stacked_multitask,roadex
ENCODERS=unet,linknet,dlinknet,deeplabv3plus,segformer
study=${1:-}
shift || true

names() {  # a,b -> study/a,study/b
  sed 's#[^,]*#study/&#g' <<<"$1"
}

sweep() {
  "$PYTHON" -m roadex.train -m "name=study_$study" "seed=$SEEDS" "$@"
}

case $study in
  rivals)
    sweep "experiment=$(names $STACKED,multibranch,segmentation_only,stacked_orientation,$ENCODERS)" "$@" ;;
  connectivity)
    sweep "experiment=$(names $STACKED,multibranch,$ENCODERS)" model.connectivity=true,false "$@" ;;
  context)
    sweep experiment=study/stacked_multitask model.global_aware=none,channel,spatial,both \
      model.stacks=1,2,3 "$@" ;;
  losses)
    sweep "experiment=$(names $STACKED)" loss.cldice=0,1 loss.nodes=0,10 "$@" ;;
  *)
    sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
    exit 2 ;;
esac
