#!/usr/bin/env bash
# Upload offline runs to Weights & Biases, those that are there already left out:
#
#   scripts/wandb_upload.sh FOLDER      every run below it: runs/NAME, multirun/NAME, search/NAME
#
# `wandb login` first, or WANDB_API_KEY; ENTITY and PROJECT name another place than the runs do.
set -euo pipefail
folder=${1:?usage: scripts/wandb_upload.sh FOLDER}
options=(${ENTITY:+--entity "$ENTITY"} ${PROJECT:+--project "$PROJECT"})
# A run that was interrupted has several parts, in order of their dates; they share its id.
find "$folder" -type d -path '*/wandb/offline-run-*' -prune | sort | while read -r run; do
    ls "$run"/*.wandb.synced >/dev/null 2>&1 && continue
    wandb sync --append "${options[@]}" "$run"
done
