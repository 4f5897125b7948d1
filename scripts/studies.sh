#!/usr/bin/env bash
# The studies, each by one command: scripts/studies.sh NAME [OVERRIDES]
#
#   rivals        every model at equal training time (conf/experiment/study says the epochs)
#   connectivity  each architecture with and without the connectivity task
#   context       the global-aware module x the number of stacks, and each of its gates alone
#   losses        the weight of the connectivity loss, and what terms that see topology add
#   rivals_epfl   as rivals, on the real tiles in $EPFL (images/, groundtruth/)
#   pretraining   on the same tiles, from the weights that `rivals` learned on the built-in world
#   rivals_real   every model on an encoder that knows ImageNet (the published one from random weights),
#                 on the Massachusetts crops in $MASSACHUSETTS and on $EPFL with $CIL beside
#   transfer      scores of those weights on the real tiles, without any training on them
#
# The first four are on the built-in world. SEEDS=0,1,2 by default. A finished run is skipped, so the
# same command goes on where it was. Then:
#   python -m roadex.report runs=multirun/study_NAME out=experiments/NAME
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-.venv/bin/python}
SEEDS=${SEEDS:-0,1,2}
STACKED=stacked_multitask,roadex
ENCODERS=unet,linknet,dlinknet,deeplabv3plus,segformer
ALL=$STACKED,multibranch,segmentation_only,stacked_orientation,$ENCODERS
study=${1:-}
shift || true

names() {  # a,b -> study/a,study/b
  sed 's#[^,]*#study/&#g' <<<"$1"
}

sweep() {  # FOLDER OVERRIDES: into multirun/FOLDER
  "$PYTHON" -m roadex.train -m "name=$1" "seed=$SEEDS" "${@:2}"
}

real_tiles() {  # the settings of the data
  : "${EPFL:?name the folder of the real tiles: EPFL=DIR}"
  echo dataset=folder "dataset.images=$EPFL/images" "dataset.masks=$EPFL/groundtruth" \
    dataset.gsd=0.25 dataset.splits.lists=epfl dataset.crops_per_tile=2
}

folder() {  # KEY DIR MASKS LISTS: a folder of tiles
  echo "$1.images=$2/images" "$1.masks=$2/$3" "$1.splits.lists=$4"
}

both_real() {  # OVERRIDES: the two real sets, at equal numbers of crops
  : "${MASSACHUSETTS:?name the folder of the crops: MASSACHUSETTS=DIR}" "${EPFL:?}" "${CIL:?}"
  sweep study_rivals_real/massachusetts experiment=study/pretrained dataset.gsd=1 dataset.crops_per_tile=2 \
    $(folder dataset "$MASSACHUSETTS" masks "$MASSACHUSETTS/lists") trainer.epochs=12 trainer.validate_every=3 "$@"
  sweep study_rivals_real/epfl_cil experiment=study/pretrained dataset.gsd=0.25 dataset.crops_per_tile=4 \
    $(folder dataset "$EPFL" groundtruth epfl) 'datasets=[cil:folder]' datasets.cil.gsd=0.25 \
    datasets.cil.crops_per_tile=3 $(folder datasets.cil "$CIL" groundtruth "$CIL/lists") \
    trainer.epochs=15 trainer.validate_every=3 "$@"
}

weights() {  # MODEL SEED: what `rivals` learned
  ls multirun/study_rivals/*study_"$1"-*/seed-"$2"/checkpoints/last.pt
}

case $study in
  rivals)
    sweep study_rivals "experiment=$(names $ALL)" "$@" ;;
  rivals_epfl)
    real=$(real_tiles)
    sweep study_rivals_epfl "experiment=$(names $ALL)" $real "$@" ;;
  rivals_real)
    both_real "model=roadex,$ENCODERS" backbone=lite0 "$@"
    both_real model=stacked_multitask,multibranch,stacked_orientation model.width=64 model.blocks=1 backbone=lite0 "$@"
    both_real model=stacked_multitask backbone=paper "$@" ;;
  pretraining)
    real=$(real_tiles)
    for model in ${STACKED//,/ }; do
      for seed in ${SEEDS//,/ }; do
        "$PYTHON" -m roadex.train "experiment=study/$model" "name=study_$study" "seed=$seed" \
          "init=$(weights "$model" "$seed")" $real \
          "hydra.run.dir=multirun/study_$study/$model/seed-$seed" "$@"
      done
    done ;;
  transfer)
    real=$(real_tiles)
    for model in ${STACKED//,/ }; do
      for seed in ${SEEDS//,/ }; do
        "$PYTHON" -m roadex.evaluate "checkpoint=$(weights "$model" "$seed")" $real \
          "out=multirun/study_$study/$model/seed-$seed" "$@"
      done
    done ;;
  connectivity)
    sweep study_connectivity "experiment=$(names $STACKED,multibranch,$ENCODERS)" model.connectivity=true,false "$@" ;;
  context)
    sweep study_context/module experiment=study/stacked_multitask \
      model.global_aware=none,both model.stacks=1,2,3 "$@"
    sweep study_context/gates experiment=study/stacked_multitask \
      model.global_aware=channel,spatial "$@" ;;
  losses)
    for model in ${STACKED//,/ }; do
      for change in loss.connectivity=0.3,1 loss.cldice=1 loss.nodes=10; do
        sweep "study_losses/$model/${change%%=*}" "experiment=study/$model" "$change" "$@"
      done
    done ;;
  *)
    sed -n '2,17s/^# \{0,1\}//p' "$0" >&2
    exit 2 ;;
esac
