#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# eddy train with several threads: they change no bit, and a training goes on with another number of them.
# shellcheck source=tests/support/training.sh
. "$(dirname "$0")/../support/training.sh"

# a step of several parts
wide=(--set model.width=16 --set train.patience=0 --set train.batch=512 --set train.negatives=1500
  --set train.epochs=12 --valid-from "$valid")

trains 0 "epoch 12 of 12" --output "$folder/one" "${wide[@]}" "$clicks"
trains 0 "epoch 12 of 12" --output "$folder/two" --set train.threads=2 --json "$folder/two.json" "${wide[@]}" "$clicks"
grep -q 'clicks per second, [0-9]* per CPU second' "$folder/out" || fail "its speed is not told: $(cat "$folder/out")"
grep -q '"threads": 2' "$folder/two.json" || fail "the report does not name the threads"
cmp "$folder/one" "$folder/two" || fail "two threads make another model"
"$EDDY_BINARY" train --output "$folder/three" --set train.threads=3 "${wide[@]}" "$clicks" \
  >/dev/null 2>"$folder/errors" &
for _ in $(seq 1 600); do
  [ ! -e "$folder/three.training" ] || break
  sleep 0.02
done
kill -TERM $!
wait $! 2>/dev/null || true
[ -e "$folder/three.training" ] || fail "three threads have not kept where they stand"
trains 0 "going on from" --output "$folder/three" "${wide[@]}" "$clicks"
cmp "$folder/one" "$folder/three" || fail "a training that went on with fewer threads makes another model"
trains 3 "train.threads" --output "$folder/four" --set train.threads=0 "${wide[@]}" "$clicks"
