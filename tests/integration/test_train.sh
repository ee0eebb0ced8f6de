#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# eddy train from outside: what it says and writes, that a training which is stopped or killed ends with the same model,
# and how it refuses.
# shellcheck source=tests/support/training.sh
. "$(dirname "$0")/../support/training.sh"

settings=(--set model.width=16 --set train.epochs=8 --set train.patience=0 --set train.negatives=100
  --set train.batch=128)
small=("${settings[@]}" --valid-from "$valid")

# ---- wrong usage, wrong data
trains 2 "name a file of clicks" --output "$folder/model"
trains 2 "say by --output" "$clicks"
trains 2 "--output is a file" --output - "$clicks"
trains 3 "model.backbone" --output "$folder/model" --set model.backbone=none "$clicks"
trains 1 "no/such/folder" --output "$folder/no/such/folder/model" "${small[@]}" "$clicks"
head -n 2 "$clicks" >"$folder/one.tsv"
trains 5 "two clicks" --output "$folder/model" "${settings[@]}" "$folder/one.tsv"
[ ! -e "$folder/model" ] || fail "a training that failed leaves a model"

# ---- it learns, and says how well
trains 0 "epoch 8 of 8" --output "$folder/model" --json "$folder/report.json" --svg "$folder/plots" \
  "${small[@]}" "$clicks"
cp "$folder/out" "$folder/report.txt"
grep -q 'best after epoch' "$folder/report.txt" || fail "it does not say which epoch is best"
[ ! -e "$folder/model.training" ] || fail "the state of a training that has ended is kept"
grep -q '"hit_rate_20": 0\.[1-9]' "$folder/report.json" || fail "nothing is learned: $(cat "$folder/report.json")"
for plot in loss validation; do
  grep -q '</svg>' "$folder/plots/$plot.svg" || fail "there is no plot of $plot"
done

# what its lists come to, read by something else, is what training said
"$EDDY_BINARY" evaluate --valid-from "$valid" --test-from 2100-01-01 --model "$folder/model" --dump "$folder/lists" \
  "$clicks" >/dev/null 2>"$folder/errors" || fail "the model is not evaluated"
said=$(sed -n 's/.*best after.*HR@20 \([0-9.]*\), MRR@20 \([0-9.]*\)$/\1 \2/p' "$folder/report.txt")
read_off=$(awk -F '\t' '{
    count = split($4, list, ","); n++
    for (i = 1; i <= count; i++) if (list[i] == $3) { hits++; sum += 1 / i }
  } END { printf "%.4f %.4f", hits / n, sum / n }' "$folder/lists.2")
[ "$said" = "$read_off" ] || fail "training says $said, the lists of the model $read_off"
trains 0 "epoch 8 of 8" --output "$folder/again" "${small[@]}" "$clicks"
cmp "$folder/model" "$folder/again" || fail "the same training makes another model"
trains 0 "epoch 8 of 8" --output "$folder/other" --set train.seed=2 "${small[@]}" "$clicks"
! cmp -s "$folder/model" "$folder/other" || fail "another seed makes the same model"

# ---- stopped and killed, it goes on
long=("${small[@]}" --set train.epochs=30) # too long to end before it is hurt again
trains 0 "epoch 30 of 30" --output "$folder/calm" "${long[@]}" "$clicks"
train() { # in the background, so that who is killed is eddy itself
  exec "$EDDY_BINARY" train --output "$folder/hurt" "${long[@]}" "$clicks" >/dev/null 2>"$folder/errors"
}
kept() { stat -c %Y%i "$folder/hurt.training" 2>/dev/null || true; }
# begin: until it has kept where it stands
begin() {
  local before
  before=$(kept)
  train &
  for _ in $(seq 1 600); do
    [ "$(kept)" = "$before" ] || return 0
    sleep 0.02
  done
  fail "nothing is kept"
}
for signal in TERM KILL TERM KILL; do
  begin
  kill -"$signal" $!
  wait $! 2>/dev/null || true
  [ -e "$folder/hurt.training" ] || fail "it has ended before it was hurt"
done
trains 0 "epoch 30 of 30" --output "$folder/hurt" "${long[@]}" "$clicks"
grep -q "going on from" "$folder/errors" || fail "it does not say that it goes on"
cmp "$folder/calm" "$folder/hurt" || fail "a training that was hurt makes another model"

# ---- killed before each file of its first two epochs gets its name: where it stands, the model, where it stands, again
renames=rename,renameat,renameat2
if strace -qq -o /dev/null true 2>/dev/null; then # some containers do not let anybody trace
  for file in 1 2 3 4 5 6; do
    rm -f "$folder/torn" "$folder/torn.training"
    { ! strace -qq -o /dev/null -e trace=$renames -e inject=$renames:signal=KILL:when=$file "$EDDY_BINARY" train \
      --output "$folder/torn" "${small[@]}" "$clicks" >/dev/null; } 2>/dev/null || fail "not killed before file $file"
    trains 0 "epoch 8 of 8" --output "$folder/torn" "${small[@]}" "$clicks"
    [ "$file" = 1 ] || grep -q "going on from" "$folder/errors" || fail "it does not go on before file $file"
    cmp "$folder/model" "$folder/torn" || fail "a training that was killed before file $file makes another model"
  done
fi

# ---- a second one with the same output, and states that are not this training's
begin
for _ in $(seq 1 600); do # it has a best model then, which the state speaks of
  ! grep -q '^epoch 2 ' "$folder/errors" || break
  sleep 0.1
done
grep -q '^epoch 2 ' "$folder/errors" || fail "two epochs are not trained"
kill -STOP $!
trains 7 "another process trains into" --output "$folder/hurt" "${long[@]}" "$clicks"
kill -KILL $!
wait $! 2>/dev/null || true
cp "$folder/hurt.training" "$folder/kept"
trains 3 "other sessions or other options" --output "$folder/hurt" "${long[@]}" --set train.rate=0.01 "$clicks"
trains 3 "another kind of model" --output "$folder/hurt" "${long[@]}" --set model.width=17 "$clicks"
sed 's/\ti1\t/\tj1\t/' "$clicks" >"$folder/renamed.tsv"
! cmp -s "$clicks" "$folder/renamed.tsv" || fail "no item is renamed"
trains 3 "of other clicks" --output "$folder/hurt" "${long[@]}" "$folder/renamed.tsv"
trains 3 "another validation" --output "$folder/hurt" "${long[@]}" --test-from "$((valid + 60000))" "$clicks"
mv "$folder/hurt" "$folder/elsewhere"
trains 3 "the model beside it is gone" --output "$folder/hurt" "${long[@]}" "$clicks"
cp "$folder/model" "$folder/hurt"
trains 3 "is not the one that it speaks of" --output "$folder/hurt" "${long[@]}" "$clicks"
cmp "$folder/kept" "$folder/hurt.training" || fail "a refusal changes the state"
truncate -s -100 "$folder/hurt.training"
trains 6 "--restart begins anew" --output "$folder/hurt" "${long[@]}" "$clicks"
trains 0 "epoch 30 of 30" --output "$folder/hurt" --restart "${long[@]}" "$clicks"
cmp "$folder/calm" "$folder/hurt" || fail "a training that began anew makes another model"

# ---- without validation all sessions train, for all epochs
trains 0 "epoch 8 of 8: loss " --output "$folder/all" "${settings[@]}" "$clicks"
grep -q "epoch 8 of 8: loss [0-9.]*, [0-9]* s$" "$folder/errors" || fail "without validation it tells of one"
