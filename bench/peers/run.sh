#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Both sides with the same hyperparameters, one thread each, one after the other: lists of the best epoch by MRR@20, and
# their measures by the same scorer.
#
# usage: bench/peers/run.sh CLICKS VALID_FROM_MS FOLDER [SEED...]
#   PYTHON (python3): one that has bench/peers/requirements.txt; EDDY (build/release/eddy); MODELS: which of them
set -eu
[ $# -ge 3 ] || {
  sed -n '6,7s/^# //p' "$0" >&2
  exit 2
}
clicks=$1 valid_from=$2 folder=$3
shift 3
here=$(dirname "$0")
python=${PYTHON:-python3} eddy=${EDDY:-build/release/eddy} models=${MODELS:-sr_gnn stamp narm gru4rec}
export OMP_NUM_THREADS=1
mkdir -p "$folder"

recbole() { # MODEL SEED
  case $1 in
  sr_gnn) set -- "$@" --model SRGNN --batch 100 --rate 0.001 --decay 0.00001 --epochs 5 ;;
  stamp) set -- "$@" --model STAMP --batch 512 --rate 0.005 --epochs 10 ;;
  narm) set -- "$@" --model NARM --batch 512 --rate 0.002 --epochs 9 ;;
  gru4rec) set -- "$@" --model GRU4Rec --batch 512 --rate 0.005 --epochs 8 --set num_layers=1 --set dropout_prob=0.3 ;;
  esac
  name=$folder/recbole-$1-$2 seed=$2
  shift 2
  "$python" "$here/recbole_side.py" --clicks "$clicks" --valid-from "$valid_from" --width 100 --length-max 20 \
    --seed "$seed" --dump "$name.tsv" --json "$name.json" "$@" >"$name.log" 2>&1
}

eddy() { # MODEL SEED; the model's lists are in NAME.tsv.2, beside those of eddy's standard configuration
  name=$folder/eddy-$1-$2
  "$eddy" train --config "$here/$1.yaml" --set train.seed="$2" --valid-from "$valid_from" --restart \
    --output "$name.model" --json "$name.json" "$clicks" >"$name.log" 2>&1
  "$eddy" evaluate --clicks "$clicks" --test-from "$valid_from" --model "$name.model" --dump "$name.tsv" >>"$name.log"
}

for seed in "${@:-1}"; do
  for model in $models; do
    recbole "$model" "$seed"
    eddy "$model" "$seed"
    "$python" "$here/score.py" "$folder/recbole-$model-$seed.tsv" "$folder/eddy-$model-$seed.tsv.2"
  done
done
