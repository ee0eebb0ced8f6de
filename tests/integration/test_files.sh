#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What people see of the files they give and get: reasons, exit codes, and which files are there afterwards.
# shellcheck source=tests/support/commands.sh
. "$(dirname "$0")/../support/commands.sh"

# Why a file is not read to its end is said whatever was said before; with --strict it is the end.
{
  printf 'session_id\ttimestamp_ms\titem_id\n'
  for i in $(seq 20); do echo "broken $i"; done
  for i in $(seq 20000); do printf 's%d\t1600000%06d\ti%d\n' "$i" "$i" $((i * i % 3331)); done
} >clicks.tsv
gzip -k clicks.tsv
head -c 50000 clicks.tsv.gz >cut.tsv.gz
expect 0 'the gzip data ends early, the file is truncated' replay --json report.json cut.tsv.gz
grep -q '"skipped": 20,' report.json || fail "broken lines are not counted: $(cat report.json)"
grep -q '"unfinished_files": 1,' report.json || fail "the damaged file is not counted: $(cat report.json)"
expect 0 '1 file is damaged' replay cut.tsv.gz
expect 0 '20 broken records were skipped, 20000 taken' replay clicks.tsv.gz
if grep -q damaged errors; then fail "a whole file is called damaged: $(cat errors)"; fi
sed -i '/^broken/d' clicks.tsv
gzip -kf clicks.tsv
head -c 50000 clicks.tsv.gz >cut.tsv.gz
expect 5 'the gzip data ends early' replay --strict cut.tsv.gz

# What a truncated container loses with its last block is counted; the block is named by its place.
"$EDDY_BINARY" generate --clicks 20000 --items 100 --output whole.avro
head -c -1 whole.avro >cut.avro
expect 0 'cut.avro: record ' replay --json report.json cut.avro
grep -qE 'the file is truncated; lost is the block at byte [0-9]+, of [0-9]+ records' errors || fail "$(cat errors)"
lost=$(sed -n 's/.*, of \([0-9]*\) records$/\1/p' errors)
if [ "$lost" -le 1 ] || ! grep -q "\"records\": $((20000 - lost))," report.json ||
  ! grep -q "\"skipped\": $lost," report.json; then
  fail "$lost records of a block are lost, but: $(cat report.json)"
fi
printf 'BZh91AY&SY0123' >clicks.bz2
expect 5 'clicks.bz2: bzip2 is not read; decompress it first (bunzip2 -c FILE | eddy ... -)' replay clicks.bz2
expect 5 'clicks.bz2: bzip2 is not read' import movielens --clicks clicks.bz2

# A name that ends in .gz or .zst is compressed, whoever writes it, and is read back.
"$EDDY_BINARY" generate --clicks 2000 --items 100 --output g.tsv --items-output items.avro.zst
for ending in gz zst; do
  "$EDDY_BINARY" generate --clicks 2000 --items 100 --output "g.tsv.$ending"
  "$EDDY_BINARY" replay g.tsv >/dev/null --json "r.json.$ending" --dump "d.tsv.$ending" --output "o.avro.$ending" \
    --into-state "s.$ending" --items items.avro.zst
  "$EDDY_BINARY" evaluate --clicks "g.tsv.$ending" --test-from 2024-01-01T00:00:20Z --json "e.json.$ending" \
    --dump "l.tsv.$ending" --vs filters.seen=exclude --vs fusion.list_size=30 >/dev/null
  for file in g.tsv r.json d.tsv o.avro s e.json l.tsv l.tsv.2 l.tsv.3; do
    case $(od -An -tx1 -N4 "$file.$ending") in
      ' 1f 8b 08 00' | ' 28 b5 2f fd') ;;
      *) fail "$file.$ending is not compressed" ;;
    esac
  done
done
gzip -dc g.tsv.gz | cmp - g.tsv || fail "the compressed clicks are others"

# A folder for plots is made, the one it stands in is not.
run 0 replay --svg plots g.tsv
run 0 evaluate --clicks g.tsv --test-from 2024-01-01T00:00:20Z --svg plots/evaluation
for file in timeline latency evaluation/hit_rate evaluation/mrr evaluation/positions evaluation/latency; do
  grep -q '^</svg>$' "plots/$file.svg" || fail "there is no plot $file: $(ls -R plots)"
done

# A path that cannot be written is said before the work: the clicks are a pipe that nobody fills, so a command that
# began to read them would wait.
mkfifo never
sleep 60 >never &
sleeper=$!
trap 'kill "$sleeper"; rm -rf "$folder"' EXIT
for option in json dump output into-state svg; do
  expect 1 'cannot be written: No such file or directory; is there such a folder?' replay "--$option" no/such/x never
done
for option in json dump svg; do
  expect 1 'no/such' evaluate --clicks never --test-from 0 "--$option" no/such/x
  expect 1 'no/such' evaluate --mode prequential --clicks never "--$option" no/such/x
done
expect 1 'g.tsv' evaluate --clicks never --test-from 0 --svg g.tsv
mkdir dump.tsv.2
expect 1 'dump.tsv.2: cannot be written: Is a directory; give the name of a file' \
  evaluate --clicks never --test-from 0 --dump dump.tsv --vs filters.seen=exclude
expect 1 'no/such/clicks.tsv.gz' import yoochoose --clicks never --to no/such
mkdir -p taken/items.tsv.gz
expect 1 'taken/items.tsv.gz' import movielens --clicks never --items never --to taken
expect 1 'no/such/x' generate --items-output made.tsv --output no/such/x
[ ! -e made.tsv ] || fail "generate made items before it knew that it cannot write clicks"

# A file of another layout is no success with nothing in it; one that is mostly broken says so.
expect 5 'The layouts are movielens, yoochoose,' import movielens --clicks clicks.tsv
[ ! -e clicks.tsv.gz.partial ] || fail "a failed import left a file"
{
  echo 1::31::2.5::1260759144
  seq 30
} >ratings.dat
mkdir imported
expect 0 'most lines of clicks could not be used; are they of layout movielens?' \
  import movielens --clicks ratings.dat --to imported
grep -q '^1 clicks .*, 30 broken records skipped' out || fail "skipped lines are not told: $(cat out)"

# A type that eddy does not know is a view, and is counted.
cat >types.jsonl <<'EOF'
{"session_id":"a","timestamp":1600000000000,"item_id":"x","type":"view"}
{"session_id":"a","timestamp":1600000001000,"item_id":"y","type":"wishlist"}
{"session_id":"b","timestamp":1600000100000,"item_id":"x","type":"share"}
{"session_id":"b","timestamp":1600000101000,"item_id":"y","type":"purchase"}
EOF
expect 0 "2 clicks are of unknown types, 'wishlist' for one, and were taken for views" replay --json r.json types.jsonl
grep -q '"unknown_types": 2,' r.json || fail "replay does not count unknown types: $(cat r.json)"
expect 0 "2 clicks are of unknown types" evaluate --clicks types.jsonl --test-from 1600000050000 --json e.json
grep -q '"unknown_types": 2,' e.json || fail "evaluate does not count unknown types: $(cat e.json)"

# A full catalogue costs the clicks on further items, and no more; with --strict it is the end.
full='the catalogue is full (items.max, items.memory_max_bytes): left out were'
"$EDDY_BINARY" generate --clicks 3000 --items 100 --output g.tsv --items-output i.tsv
others=$(awk -F '\t' 'NR > 1 { if (!($3 in known) && count < 40) known[$3] = ++count; left += !($3 in known) }
  END { print left }' g.tsv)
expect 0 "$full $others clicks on items that it had no room for" replay g.tsv --set items.max=40 --json r.json
grep -q "\"records\": $((3000 - others))," r.json || fail "clicks on known items are left out: $(cat r.json)"
grep -q "\"no_room\": $others," r.json || fail "clicks without room are not counted: $(cat r.json)"
expect 0 "$full 60 of the items" replay g.tsv --items i.tsv --set items.max=40
expect 1 'g.tsv: line ' replay g.tsv --set items.max=40 --strict
grep -q ': the item is new and the catalogue is full (items.max, items.memory_max_bytes)$' errors ||
  fail "a full catalogue is not named: $(cat errors)"
evaluate="evaluate g.tsv --test-from 2024-01-01T00:00:20Z --set items.max=40"
# shellcheck disable=SC2086 # a command with its options
{
  expect 0 "$full " $evaluate --json r.json
  if grep -q '"no_room": 0,' r.json || ! grep -q '"train_items": 40,' r.json; then fail "$(cat r.json)"; fi
  expect 0 "$full 60 of the items" $evaluate --items i.tsv
  expect 1 'the catalogue is too small for the items of the log (items.max' $evaluate --strict
}

# Standard output holds one thing, whole.
expect 0 '' replay --dump - types.jsonl
if [ "$(wc -l <out)" != 4 ] || [ "$(cut -f 1,2,3 out | head -1)" != "$(printf 'a\t1\tx')" ]; then
  fail "a dump on standard output is mixed with other lines: $(cat out)"
fi
expect 0 '' evaluate --clicks types.jsonl --test-from 1600000050000 --dump -
[ "$(cut -f 1,2,3 out)" = "$(printf 'b\t2\ty')" ] || fail "a dump is mixed with other lines: $(cat out)"
expect 2 "only one output can be '-'" replay --dump - --json - types.jsonl
expect 2 "only one output can be '-'" evaluate --clicks types.jsonl --test-from 0 --dump - --json -
expect 2 'give the name of a file' evaluate --clicks types.jsonl --test-from 0 --dump - --vs filters.seen=exclude
expect 2 "only one output can be '-'" generate --clicks 1 --items-output -

# A click of a time far ahead costs itself and does not make the others late, also where it is not ahead of now.
for time in 1700000000000 6942000000000; do
  printf 's\t%s\ti\n' $time >ahead.line
  awk 'NR == 200 {system("cat ahead.line")} {print}' clicks.tsv >ahead.tsv
  expect 0 'skipped: ahead.tsv: line 200: timestamp '$time replay ahead.tsv --json r.json --set session.gap_ms=1
  grep -q '"records": 20000,' r.json || fail "more is lost than the click ahead: $(cat r.json)"
  grep -q '"late": 0,' r.json || fail "a click ahead makes others late: $(cat r.json)"
  expect 5 'ahead.tsv: line 200: timestamp '$time replay --strict ahead.tsv
done
# Sessions may stand in any order for a train and test split; ahead of now is no order.
awk -F '\t' -v OFS='\t' 'NR == 200 {$2 = "6942000000000"} {print}' g.tsv >ahead.tsv
expect 0 'ahead.tsv: line 200: timestamp 6942000000000 (2189-12-25T' evaluate ahead.tsv --test-from 2024-01-01T00:00:20Z
expect 5 'is more than a day ahead of now' evaluate --strict ahead.tsv --test-from 2024-01-01T00:00:20Z

# Only clicks from --test-from on judge a prequential evaluation, and with --valid-from those between the two.
number() { grep -m 1 "^ *\"$2\": " "$1" | tr -cd 0-9; }
whole=(evaluate --mode prequential g.tsv --json r.json)
middle=2024-01-01T00:00:30Z
run 0 "${whole[@]}"
all=$(number r.json judged)
run 0 "${whole[@]}" --test-from $middle
later=$(number r.json judged)
grep -q 'judged by the clicks from 2024-01-01T00:00:30.000Z alone' out || fail "what is judged is not told: $(cat out)"
grep -q '"records": 3000,' r.json || fail "not all clicks are answered: $(cat r.json)"
run 0 "${whole[@]}" --valid-from 2023-01-01 --test-from $middle
if [ "$later" = 0 ] || [ "$((all - later))" != "$(number r.json judged)" ]; then
  fail "$all clicks judge, $later from the middle on, $(number r.json judged) before it"
fi
expect 5 'no session has a second click in the time that is judged, from 2025-01-01T00:00:00.000Z on' \
  "${whole[@]}" --test-from 2025-01-01

# A list that is shorter than the measures are long is spoken of.
expect 0 'fusion.list_size=5: fusion.list_size is 5, but lists of 20 are asked for, for measures @20' \
  evaluate g.tsv --test-from $middle --vs fusion.list_size=5
expect 0 'fusion.list_size is 5: measures @20 are of lists of 5' replay g.tsv --set fusion.list_size=5

# A log that is in no order of time is another matter, and that is said.
{
  head -n 1 clicks.tsv
  tail -n +2 clicks.tsv | awk 'NR % 2 == 0'
  tail -n +2 clicks.tsv | awk 'NR % 2 == 1'
} >unordered.tsv
expect 0 'Is the log in order of time? The latest time in it is 2020-09-13T12:26:59.999Z' replay unordered.tsv \
  --set session.gap_ms=1 --set session.grace_ms=0
run 0 replay clicks.tsv
if grep -q 'in order of time' errors; then fail "a log in order is suspected: $(cat errors)"; fi
