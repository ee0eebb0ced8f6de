#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# eddy evaluate --mode learning from outside: where the shop changes, a model that goes on learning is better than one
# that does not; where nothing changes it is neither better nor worse. (That takes a first model that has learned all
# there is to learn, and updates that draw little of it again: more of the same is worth something to any other.)
set -euo pipefail
folder=$(mktemp -d)
trap 'wait; rm -rf "$folder"' EXIT
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  [ ! -s "$folder/errors" ] || cat "$folder/errors" >&2
  exit 1
}

generate() { # CLICKS SEED START
  "$EDDY_BINARY" generate --clicks "$1" --items 100 --sessions 60 --rate 20 --seed "$2" --start-ms "$3"
}

# evaluate FILE ARGUMENT...: the report in report.json
evaluate() {
  "$EDDY_BINARY" evaluate --mode learning --retrain-days 0 --set session.gap_ms=1min --set model.width=16 \
    --set train.epochs=40 --set train.rate=0.01 --set train.negatives=0 --set train.batch=128 \
    --set update.interval_ms=2min --set update.replay=4 --set update.rate=0.002 \
    --json "$folder/report.json" "$@" >"$folder/out" 2>"$folder/errors" || fail "evaluate $*"
}

# interval: low and high of the difference in MRR@20 between the continuous system and the static one
interval() {
  awk '/"kind": "continuous"/ { here = 1 } here && /"differences_at_20"/ { found = 1 }
    found && /"mrr"/ { mrr = 1 } mrr && /"low"/ { gsub(/[",]/, ""); low = $2 }
    mrr && /"high"/ { gsub(/[",]/, ""); print low, $2; exit }' "$folder/report.json"
}

# ---- half of the clicks are of one shop, half of another with the same items
generate 20000 1 2024-01-01 >"$folder/before.tsv"
last=$(tail -n 1 "$folder/before.tsv" | cut -f 2)
generate 20000 2 "$last" | sed '1d;s/^/other-/' | cat "$folder/before.tsv" - >"$folder/changed.tsv"
evaluate --svg "$folder/plots" "$folder/changed.tsv"
grep -q '^  continuous against static: HR +0' "$folder/out" || fail "the table has no difference: $(cat "$folder/out")"
read -r low high < <(interval)
awk -v low="$low" 'BEGIN { exit !(low > 0.002) }' || fail "a change is not followed: $low .. $high"
for plot in hit_rate mrr; do
  grep -q '</svg>' "$folder/plots/learning_$plot.svg" || fail "there is no plot of $plot"
done
cp "$folder/report.json" "$folder/first.json"
evaluate "$folder/changed.tsv"
sed '/cpu_s/d' "$folder/report.json" | cmp -s - <(sed '/cpu_s/d' "$folder/first.json") || fail "two runs differ"

# ---- all clicks are of the first: there is nothing to follow
generate 40000 1 2024-01-01 >"$folder/calm.tsv"
evaluate "$folder/calm.tsv"
read -r low high < <(interval)
awk -v low="$low" -v high="$high" 'BEGIN { exit !(low < 0 && high > 0) }' ||
  fail "a difference from nothing: $low .. $high"

# ---- every variant is one more system, and each kind says how often it learned
evaluate --set train.epochs=2 --retrain-days 1 --vs update.passes=2 "$folder/calm.tsv"
grep -q '^  update.passes=2 against retrained' "$folder/out" || fail "a variant is missing: $(cat "$folder/out")"

evaluate --set train.epochs=2 --fused "$folder/calm.tsv"
grep -q '^  continuous against retrieval' "$folder/out" || fail "retrieval alone is missing: $(cat "$folder/out")"

# ---- wrong usage
expect() { # CODE TEXT ARGUMENT...
  local wanted=$1 text=$2 code=0
  shift 2
  "$EDDY_BINARY" evaluate "$@" >"$folder/out" 2>"$folder/errors" || code=$?
  [ "$code" = "$wanted" ] || fail "eddy evaluate $* ends with $code, not $wanted"
  grep -q -- "$text" "$folder/errors" || fail "eddy evaluate $* does not say '$text'"
}
expect 2 "train-test, prequential or learning" --mode wrong "$folder/calm.tsv"
expect 2 "not for --mode learning" --mode learning --model x "$folder/calm.tsv"
expect 2 "are for --mode learning" --fused --test-from 2024-01-01 "$folder/calm.tsv"
expect 2 "are for --mode learning" --mode prequential --retrain-days 1 "$folder/calm.tsv"
expect 2 "cannot be negative" --mode learning --retrain-days -1 "$folder/calm.tsv"
expect 2 "say by --test-from" --mode learning --valid-from 2024-01-01 "$folder/calm.tsv"
expect 5 "both sides need some" --mode learning --test-from 2000-01-01 "$folder/calm.tsv"
