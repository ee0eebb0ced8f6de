#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What recorded answers of a language model gain in lists that the behaviour of others makes, on one or several sets:
#
#   bench/intents.sh FOLDER ENCODER SET... [-- ARGUMENT...]
#
# SET is CLICKS:ITEMS:INTENTS:SPLIT, SPLIT the arguments that choose it, parted by blanks ("--test-from 1600065638000").
# ENCODER is the folder of the sentence encoder. Lists and reports go to FOLDER; ARGUMENTs to eddy evaluate.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 3 ] || { sed -n '3,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
folder=$1 encoder=$2
shift 2
eddy=build/release/eddy
[ -x "$eddy" ] || { echo "bench/intents.sh: run ./dev build first" >&2; exit 2; }
mkdir -p "$folder"
sets=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  sets+=("$1")
  shift
done
[ $# -eq 0 ] || shift
texts=embedder.provider=encoder,embedder.folder=$encoder
none='[0,0,0,0,0,0,0,0,0,0,0,0]'
pairs=() controls=()
for i in "${!sets[@]}"; do
  IFS=: read -r clicks items intents split <<<"${sets[$i]}"
  read -r -a split_arguments <<<"$split"
  run() { # NAME ARGUMENT...
    "$eddy" evaluate --clicks "$clicks" --items "$items" "${split_arguments[@]}" --intents "$intents" \
      --prefixes "$intents" --json "$folder/$1-$i.json" --dump "$folder/$1-$i.tsv" "${@:2}"
  }
  echo "== $clicks"
  run intents --vs "$texts" --vs "$texts,fusion.agent_weights=$none" --vs "$texts,fusion.semantic_weights=$none" "$@"
  run shuffled --shuffle-intents --vs "$texts" "$@" >"$folder/shuffled-$i.txt"
  pairs+=("$folder/intents-$i.tsv,$folder/intents-$i.tsv.2")
  controls+=("$folder/shuffled-$i.tsv,$folder/shuffled-$i.tsv.2")
done
echo "== all sets pooled: agent and semantic against behaviour alone"
bench/pooled.py "${pairs[@]}"
echo "== the control: every prefix has what was said of another one"
bench/pooled.py "${controls[@]}"
