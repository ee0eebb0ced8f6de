#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The generator writes what eddy reads: files in every format, and the topics of a broker.
set -euo pipefail
folder=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill "$broker" 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}
generate() { "$EDDY_BINARY" generate "$@"; }

# Same options, same bytes; every format holds the same clicks: a replay of each gives the same recommendations.
generate --clicks 3000 --items 200 --output "$folder/a.tsv" --items-output "$folder/items.tsv"
generate --clicks 3000 --items 200 --output "$folder/b.tsv"
cmp "$folder/a.tsv" "$folder/b.tsv" || fail "the same options gave other bytes"
generate --clicks 3000 --items 200 --seed 2 --output "$folder/b.tsv"
if cmp -s "$folder/a.tsv" "$folder/b.tsv"; then fail "another seed gave the same bytes"; fi
sums=$(for format in tsv csv jsonl avro tsv.gz; do
  generate --clicks 3000 --items 200 --output "$folder/clicks.$format"
  "$EDDY_BINARY" replay --strict --items "$folder/items.tsv" --output "$folder/out" "$folder/clicks.$format" \
    >/dev/null 2>"$folder/errors" || fail "$format is not read back: $(cat "$folder/errors")"
  sha256sum <"$folder/out"
done | sort -u | wc -l)
[ "$sums" = 1 ] || fail "the formats do not hold the same clicks"

# Wrong usage, a full disk.
status=0
generate --items 0 2>"$folder/errors" || status=$?
if [ "$status" != 2 ] || ! grep -q 'items must be' "$folder/errors"; then fail "--items 0 gives $status"; fi
status=0
generate --clicks 100000 2>"$folder/errors" >/dev/full || status=$?
if [ "$status" = 0 ] || ! grep -q 'No space left' "$folder/errors"; then fail "a full disk gives $status"; fi
status=0
generate --kafka 2>"$folder/errors" || status=$?
if [ "$status" != 3 ] || ! grep -q bootstrap.servers "$folder/errors"; then fail "no broker gives $status"; fi

# Into topics: each click is answered once.
command -v kcat >/dev/null || exit 77
: >"$folder/bootstrap" # it may be looked into before the shell behind & has made it
"$EDDY_BINARY" run --embedded --set http.listen= --set topics.partitions=3 --set session.idle_ms=0 \
  --set formats.clicks=json --set formats.items=json >"$folder/bootstrap" 2>"$folder/log" &
broker=$!
for _ in $(seq 1 300); do
  [ ! -s "$folder/bootstrap" ] || break
  sleep 0.1
done
bootstrap=$(sed -n 's/^bootstrap=//p' "$folder/bootstrap")
[ -n "$bootstrap" ] || fail "the embedded broker did not start: $(cat "$folder/log")"
send() {
  generate --kafka --set "kafka.bootstrap.servers=$bootstrap" --set formats.clicks=json --set formats.items=json \
    --items 50 --sessions 20 "$@"
}
now_ms() { date +%s%3N; }
before=$(now_ms)
send --clicks 500 --pace 2000
timeout 60 kcat -q -b "$bootstrap" -C -t recommendations -o beginning -c 500 -f '%k\n' >"$folder/keys" ||
  fail "not every click was answered: $(wc -l <"$folder/keys") of 500; $(cat "$folder/log")"
generate --clicks 500 --items 50 --sessions 20 | tail -n +2 | cut -f1 | sort >"$folder/expected"
sort "$folder/keys" | cmp - "$folder/expected" || fail "the answers are not those of the clicks"

# The last click is of the present, the others of the time before it; in files they are always of the same time.
dates() { # of the clicks in the topic, sorted
  kcat -q -b "$bootstrap" -C -t clicks -o beginning -e | sed 's/.*"timestamp":\([0-9]*\).*/\1/' | sort -n
}
dates >"$folder/dates"
last=$(tail -n 1 "$folder/dates")
if [ "$last" -lt "$before" ] || [ "$last" -gt "$(now_ms)" ]; then
  fail "the last click is of $last, not of the present"
fi
[ $((last - $(head -n 1 "$folder/dates"))) = 499000 ] || fail "the clicks are not a second apart"
send --clicks 7 --start-ms 1000
send --clicks 1 --set items.enabled=false 2>"$folder/errors"
grep -q '^0 items and 1 clicks' "$folder/errors" || fail "items are sent where nobody reads them"
[ "$(dates | head -n 7 | tr '\n' ' ')" = "1000 2000 3000 4000 5000 6000 7000 " ] || fail "--start-ms is not obeyed"
generate --clicks 1 | grep -q "$(printf '\t1704067200000\t')" || fail "a file is not of 2024-01-01"
