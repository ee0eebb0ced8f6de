#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demo plays its stream through the embedded broker and eddy, and shows what came back.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() {
  printf '%s\n' "$*" >&2
  cat "$folder/out" "$folder/errors" >&2
  exit 1
}

timeout 240 "$EDDY_BINARY" demo --learn 3000 --live 200 --speed 400 >"$folder/out" 2>"$folder/errors" ||
  fail "the demo failed"
[ ! -s "$folder/errors" ] || fail "the demo complains"
grep -q '^look at the topic:  kcat -b 127.0.0.1:[0-9]* -t recommendations ' "$folder/out" || fail "no kcat line"
grep -Eq '^session [0-9]+, click [0-9]+: .*, model .* -> 1\. .*, model .* %, ' "$folder/out" ||
  fail "no recommendation with titles and reasons"
if grep -q "$(printf '\033')" "$folder/out"; then fail "escape sequences although this is no terminal"; fi

# While it learns, the clicks that come back are many a second; before the first has come, no rate is made up.
if grep -q '(0/s)' "$folder/out"; then fail "a rate of 0"; fi
grep ' learning from .* answered in bulk ' "$folder/out" >"$folder/bulk" || true # none when that took no five seconds
if grep -Eqv ' clicks [0-9]+ \([0-9]{2,}/s\) ' "$folder/bulk"; then fail "no rate while it learns"; fi

# All 200 live clicks were answered, and enough lists judged and found good to say that eddy learned.
last=$(tail -n 1 "$folder/out")
[[ $last == *'  live  clicks 200 '*'answered in p50 '* ]] || fail "the last line is not what it should be: $last"
awk '{
    for (i = 1; i < NF; i++) {
      if ($i == "HR@20") hits = $(i + 1)
      if ($i == "judged") judged = $(i + 1)
    }
    exit !(hits > 0.3 && judged > 100)
  }' <<<"$last" || fail "too little was judged, or too few lists were good: $last"

# One's own clicks and items.
{
  printf 'session_id\ttimestamp_ms\titem_id\n'
  for i in $(seq 1 60); do printf 's%d\t%d\titem%d\n' "$((i % 7))" "$((1700000000000 + i * 1000))" "$((i % 5))"; done
} >"$folder/clicks.tsv"
printf 'item_id\ttitle\nitem1\tthe first\n' >"$folder/items.tsv"
timeout 120 "$EDDY_BINARY" demo --clicks "$folder/clicks.tsv" --items "$folder/items.tsv" --speed 1000 >"$folder/out" \
  2>"$folder/errors" || fail "the demo failed on clicks of one's own"
grep -q ' live  clicks 60 ' "$folder/out" || fail "not all clicks of one's own were played"

# Without items they go by their ids, and are judged all the same.
timeout 120 "$EDDY_BINARY" demo --clicks "$folder/clicks.tsv" --speed 1000 >"$folder/out" 2>"$folder/errors" ||
  fail "the demo failed on clicks without items"
grep -q ': item[0-4]' "$folder/out" || fail "items without a title do not go by their ids"
if grep -q 'HR@20 0.000' <<<"$(tail -n 1 "$folder/out")"; then fail "lists of items without a title are not judged"; fi

# By user, without any session_id; and what cannot be played is said, with what to do.
sed '1s/session_id/user_id/; 2,$s/^s/u/' "$folder/clicks.tsv" >"$folder/users.tsv"
timeout 120 "$EDDY_BINARY" demo --clicks "$folder/users.tsv" --set session.key=user_id --speed 1000 >"$folder/out" \
  2>"$folder/errors" || fail "the demo failed on sessions by user"
grep -q '^user u[0-6], click ' "$folder/out" || fail "sessions by user do not go by their user"
grep -q ' live  clicks 60 ' "$folder/out" || fail "not all clicks of users were played"
status=0
timeout 120 "$EDDY_BINARY" demo --clicks "$folder/users.tsv" >"$folder/out" 2>"$folder/errors" || status=$?
if [ "$status" != 5 ] || ! grep -q 'users.tsv: .* session_id, .* --set session.key=user_id' "$folder/errors"; then
  fail "clicks without session_id give $status"
fi

status=0
"$EDDY_BINARY" demo --clicks /nonexistent >"$folder/out" 2>"$folder/errors" || status=$?
if [ "$status" != 1 ] || ! grep -q nonexistent "$folder/errors"; then fail "a missing file gives $status"; fi
status=0
"$EDDY_BINARY" demo --speed 0 >"$folder/out" 2>"$folder/errors" || status=$?
[ "$status" = 2 ] || fail "--speed 0 gives $status"
status=0
"$EDDY_BINARY" demo --learn -1 >"$folder/out" 2>"$folder/errors" || status=$?
[ "$status" = 2 ] || fail "--learn -1 gives $status"
