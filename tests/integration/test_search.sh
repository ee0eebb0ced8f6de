#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# eddy train --search from outside: what it says and writes, that a search which is stopped or killed comes to the same,
# that it never looks at the test, and how it refuses.
# shellcheck source=tests/support/commands.sh
. "$(dirname "$0")/../support/commands.sh"

# trains CODE TEXT ARGUMENT...: eddy train ends with that code and says so.
trains() { expect "$1" "$2" train "${@:3}"; }

# trials FILE: without what a clock had its part in
trials() { sed 's/"seconds":[^,]*,//' "$1"; }
# same FILE OTHER: two searches have come to the same
same() {
  cmp "$1" "$2" || fail "$2 is another model than $1"
  [ "$(trials "$1.search")" = "$(trials "$2.search")" ] || fail "$2 has tried something else than $1"
  [ -z "$(find "$folder" -name "${2##*/}.trial-*")" ] || fail "there is something left of the trials of $2"
}

clicks=$folder/clicks.tsv
"$EDDY_BINARY" generate --clicks 6000 --items 200 --sessions 40 --output "$clicks" 2>/dev/null
column=$(head -n 1 "$clicks" | tr '\t' '\n' | grep -n timestamp | cut -d : -f 1)
time_of() { sed -n "$1p" "$clicks" | cut -f "$column"; }
valid=$(time_of 4500) test=$(time_of 5400)
settings=(--set model.width=4 --set train.epochs=3 --set train.negatives=50)
data=(--valid-from "$valid" --test-from "$test" "$clicks")
over=(--over 'train.rate=0.005..0.1,log' --over 'train.batch=32..256,log' --over 'model.directed=true|false')
search=("${settings[@]}" "${over[@]}" "${data[@]}")

# ---- wrong usage
trains 2 "a search needs --valid-from" --search 2 --output "$folder/model" "$clicks"
trains 2 "1 to 10000" --search 0 --output "$folder/model" "${data[@]}"
trains 2 "a number from 1" --search-minutes 0 --output "$folder/model" "${data[@]}"
trains 2 "are for --search" --best "$folder/best" --output "$folder/model" "${data[@]}"
trains 3 "did you mean 'train.rate'" --search 2 --over train.raet=0.1..0.2 --output "$folder/model" "${data[@]}"
trains 3 "changes nothing in a model" --search 2 --over train.threads=1..4 --output "$folder/model" "${data[@]}"
trains 3 "out of range" --search 2 --over train.dropout=0..2 --output "$folder/model" "${data[@]}"
[ -z "$(find "$folder" -name 'model*')" ] || fail "a search that failed leaves something"

# ---- it finds something better than what was given, and says so
trains 0 "trial 7: MRR@20" --search 7 --output "$folder/calm" --best "$folder/best.yaml" --json "$folder/report.json" \
  --svg "$folder/plots" "${search[@]}"
cp "$folder/out" "$folder/report.txt"
[ "$(wc -l <"$folder/calm.search")" = 7 ] || fail "there are not seven trials"
[ "$(grep -c '"settings"' "$folder/report.json")" = 7 ] || fail "there are not seven trials in the report"
grep -q cut_short "$folder/calm.search" || fail "it is not said which trials were cut short"
for plot in trials epochs; do
  grep -q '</svg>' "$folder/plots/$plot.svg" || fail "there is no plot of $plot"
done
# measure NAME FILE: what the text says of it
measure() { sed -n "s/^$1 .*MRR@20 \([0-9.]*\)$/\1/p" "$2"; }
given=$(measure given "$folder/report.txt") best=$(measure best "$folder/report.txt")
[ "${given/./}" -lt "${best/./}" ] || fail "given is $given, the best $best: nothing was found"

# the best settings, as a configuration, train the very model
trains 0 "epoch 1 of 3" --config "$folder/best.yaml" --output "$folder/once" "${data[@]}"
[ "$(measure validation "$folder/out")" = "$best" ] || fail "--best leads to $(cat "$folder/out"), not to $best"
cmp "$folder/calm" "$folder/once" || fail "--best leads to another model"
# and the first trial is what was given
trains 0 "epoch 1 of 3" --output "$folder/given" "${settings[@]}" "${data[@]}"
[ "$(measure validation "$folder/out")" = "$given" ] || fail "the first trial is not what was given"

# ---- it looks at no session of the test
awk -F '\t' -v OFS='\t' -v c="$column" -v t="$test" 'FNR == 1 { file++ }
  file == 1 { if (!($1 in begin)) begin[$1] = $c; next }
  FNR > 1 && begin[$1] >= t { $3 = "i1" }
  { print }' "$clicks" "$clicks" >"$folder/blind.tsv"
! cmp -s "$clicks" "$folder/blind.tsv" || fail "the test is not changed"
trains 0 "trial 7" --search 7 --output "$folder/blind" "${settings[@]}" "${over[@]}" --valid-from "$valid" \
  --test-from "$test" "$folder/blind.tsv"
same "$folder/calm" "$folder/blind"

# ---- stopped and killed, it goes on
start() { # in the background, so that who is killed is eddy itself
  exec "$EDDY_BINARY" train --search 7 --output "$folder/hurt" "${search[@]}" >/dev/null 2>"$folder/errors"
}
for moment in 'KILL ^epoch 1' 'TERM ^trial 2: train' 'KILL ^trial 4: MRR' 'KILL ^epoch 2'; do
  start &
  for _ in $(seq 1 1000); do
    ! grep -q "${moment#* }" "$folder/errors" || break
    sleep 0.01
  done
  kill -"${moment%% *}" $! 2>/dev/null || fail "it has ended before it was hurt"
  code=0
  wait $! 2>/dev/null || code=$?
  [ "$code" != 0 ] || fail "it has ended before it was hurt"
  [ "${moment%% *}" = KILL ] || grep -q "the same command goes on" "$folder/errors" ||
    fail "it does not say that it goes on"
done
trains 0 "going on from $folder/hurt.search" --search 7 --output "$folder/hurt" "${search[@]}" --set train.threads=2
same "$folder/calm" "$folder/hurt"

# ---- killed before a file gets its name: where a training stands and its model, the trials, the best model
short=("${settings[@]}" --set train.epochs=1 "${over[@]}" "${data[@]}")
trains 0 "trial 2: MRR" --search 2 --output "$folder/short" "${short[@]}"
renames=rename,renameat,renameat2
if strace -qq -o /dev/null true 2>/dev/null; then # some containers do not let anybody trace
  for file in 2 4 5 6 9 10; do
    rm -f "$folder"/torn*
    { ! strace -qq -o /dev/null -e trace=$renames -e inject=$renames:signal=KILL:when=$file "$EDDY_BINARY" train \
      --search 2 --output "$folder/torn" "${short[@]}" >/dev/null; } 2>/dev/null || fail "not killed before file $file"
    trains 0 "trial" --search 2 --output "$folder/torn" "${short[@]}"
    same "$folder/short" "$folder/torn"
  done
fi

# ---- it ends by number, by time, and when there is nothing else to try
cp "$folder/calm" "$folder/more"
cp "$folder/calm.search" "$folder/more.search"
trains 0 "trials that are done: 7" --search 7 --output "$folder/more" "${search[@]}"
same "$folder/calm" "$folder/more"
sed -i 's/"seconds":[^,]*,/"seconds":20,/' "$folder/more.search"
trains 0 "trials that are done: 7" --search-minutes 2 --output "$folder/more" "${search[@]}"
same "$folder/calm" "$folder/more"
trains 0 "trial 8" --search 8 --search-minutes 3 --output "$folder/more" "${search[@]}"
[ "$(trials "$folder/more.search" | head -n 7)" = "$(trials "$folder/calm.search")" ] || fail "a trial is repeated"
trains 0 "no settings were found that had not been tried" --search 9 --output "$folder/few.gz" "${settings[@]}" \
  --over 'model.directed=true|false' "${data[@]}"
[ "$(wc -l <"$folder/few.gz.search")" = 2 ] || fail "there are other trials than the two that can be"
gzip -t "$folder/few.gz" || fail "a model whose name ends in .gz is not compressed"
large=(--set model.length_max=64 --set model.width=200 --set train.epochs=1 --set train.negatives=50)
# settings that cannot be trained are a bad trial, and not the end
trains 0 "these settings cannot be trained: train.batch 65536 is too large" --search 9 --output "$folder/large" \
  "${large[@]}" --over 'train.batch=512|65536' "${data[@]}"
grep -q "1 that could not be trained" "$folder/out" || fail "it does not say what could not be trained"
trains 1 "train.batch 65536 is too large" --search 9 --output "$folder/large" --restart "${large[@]}" \
  --set train.batch=65536 "${data[@]}"

# ---- another search, damage, and somebody else
cp "$folder/hurt.search" "$folder/kept"
trains 3 "hurt.search:1: this is a search with other options" --search 7 --output "$folder/hurt" "${search[@]}" \
  --set train.decay=0.1
trains 3 "over other options" --search 7 --output "$folder/hurt" "${search[@]}" --over train.dropout=0..0.3
trains 3 "of other clicks" --search 7 --output "$folder/hurt" "${settings[@]}" "${over[@]}" --valid-from "$valid" \
  --test-from "$((test + 600000))" "$clicks"
cp "$folder/once" "$folder/elsewhere"
cp "$folder/given" "$folder/hurt"
trains 3 "is not the model of its best trial" --search 7 --output "$folder/hurt" "${search[@]}"
sed -i '3s/"loss":/"lost":/' "$folder/hurt.search"
trains 6 "hurt.search:3: this is no trial of a search" --search 7 --output "$folder/hurt" "${search[@]}"
trains 0 "trial 7" --search 7 --output "$folder/hurt" --restart "${search[@]}"
same "$folder/calm" "$folder/hurt"
