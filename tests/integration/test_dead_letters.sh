#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# eddy dead-letters on the embedded broker: what cannot be used is listed, and sent again as it came.
# shellcheck source=tests/support/commands.sh
. "$(dirname "$0")/../support/commands.sh"
command -v kcat >/dev/null || exit 77
broker=
trap '[ -z "$broker" ] || kill -9 "$broker"; wait; rm -rf "$folder"' EXIT

# start [OPTION...]: eddy on its own broker, ready; sets bootstrap.
start() {
  : >broker.out
  "$EDDY_BINARY" run --embedded --set http.listen= "$@" >broker.out 2>broker.errors &
  broker=$!
  for _ in $(seq 1 600); do
    ! grep -q '"event":"ready"' broker.errors || break
    sleep 0.1
  done
  bootstrap=$(sed -n 's/^bootstrap=//p' broker.out)
  [ -n "$bootstrap" ] || fail "eddy does not start: $(cat broker.errors)"
}
start --set topics.partitions=2

produce() { kcat -b "$bootstrap" -X message.timeout.ms=10000 -P -t "$@"; }
read_all() { kcat -b "$bootstrap" -C -e -q -o beginning -t "$@" 2>/dev/null; }
letters() { read_all dead-letters -f 'x\n' | wc -l; }
wait_letters() {
  for _ in $(seq 1 100); do
    [ "$(letters)" -lt "$1" ] || return 0
    sleep 0.1
  done
  fail "$(letters) of $1 dead letters are there"
}
dead_letters() { # CODE VERB ARGUMENT...
  run "$1" dead-letters "${@:2}" --set "kafka.bootstrap.servers=$bootstrap"
}

dead_letters 0 list
grep -q 'none in dead-letters' errors || fail "an empty topic is not spoken of: $(cat errors)"

# ---- two that cannot be used, one of them with what would speak to a terminal
printf 'no \033[31mjson' | produce clicks -p 1 -k 'visit-1'
printf '{"session_id":"visit-2","timestamp":1700000000000}' | produce clicks -p 0 -k 'visit-2'
wait_letters 2
dead_letters 0 list
[ "$(wc -l <out)" = 3 ] || fail "the list has not two lines and a heading: $(cat out)"
! grep -q "$(printf '\033')" out || fail "a control character gets through"
grep -q 'clicks:1:0 .*visit-1 ' out || fail "the list lacks the origin: $(cat out)"
dead_letters 0 list --reason item_id --json
[ "$(wc -l <out)" = 1 ] || fail "--reason does not choose: $(cat out)"
grep -q '"origin_topic":"clicks","origin_partition":0,"origin_offset":0,.*"attempt":0.*"key":"visit-2"' out ||
  fail "the JSON: $(cat out)"
grep -q '"value":"{\\"session_id\\":\\"visit-2\\",' out || fail "the value is not as it came: $(cat out)"
place=$(sed 's/.*"partition":\([0-9]*\),"offset":\([0-9]*\),"timestamp".*/\1:\2/' out)
dead_letters 0 list --since "$(date -u -d '+1 hour' +%FT%TZ)"
[ "$(wc -l <out)" = 1 ] || fail "--since does not choose: $(cat out)"
dead_letters 0 list --limit 1
[ "$(wc -l <out)" = 2 ] || fail "--limit does not end the list: $(cat out)"

# ---- a dry run sends nothing; --yes sends what was chosen, to the partition it came from, as it came
clicks=$(read_all clicks -f 'x\n' | wc -l)
dead_letters 0 retry "$place"
grep -q '1 records would be sent again to clicks; this was a dry run: --yes sends them' errors ||
  fail "the dry run does not say that it was one: $(cat errors)"
[ "$(read_all clicks -f 'x\n' | wc -l)" = "$clicks" ] || fail "a dry run sends"
dead_letters 0 retry "$place" --yes
grep -q '1 records were sent again to clicks' errors || fail "it does not say how many: $(cat errors)"
read_all clicks -p 0 -f '%h %k %s\n' | sed -n 2p >again
grep -qF "eddy.retry.of=dead-letters:$place,eddy.retry.attempt=1 visit-2 {\"session_id\":\"visit-2\"," again ||
  fail "what is sent again: $(cat again)"

# ---- and it is a dead letter again, which counts
wait_letters 3
dead_letters 0 list --json
[ "$(grep -c '"attempt":1' out)" = 1 ] || fail "the second dead letter does not count: $(cat out)"
grep '"attempt":1' out | grep -q '"origin_partition":0,"origin_offset":1,' || fail "its origin: $(cat out)"
dead_letters 0 retry --reason item_id --yes
wait_letters 5
dead_letters 0 list --json
[ "$(grep -c '"attempt":2' out)" = 1 ] || fail "the third does not count: $(cat out)"

# ---- a missing place, a topic that is not there, a cut record, and one of another topic
expect 1 '1 of the 2 places hold no record' dead-letters list 0:99 "$place" --set "kafka.bootstrap.servers=$bootstrap"
expect 1 'there is no topic' dead-letters retry --to elsewhere --set topics.dead_letters=none \
  --set "kafka.bootstrap.servers=$bootstrap"
echo cut | produce dead-letters -p 0 -k 'visit-3' -H __connect.errors.topic=clicks -H eddy.cut.from.bytes=500000 \
  -H __connect.errors.partition=1 -H __connect.errors.offset=7
echo foreign | produce dead-letters -p 0 -k 'visit-4' -H __connect.errors.topic=orders
echo late | produce late-clicks -k 'visit-5' -H __value_schema_id=guid
clicks=$(read_all clicks -f 'x\n' | wc -l)
dead_letters 5 retry --yes
grep -q 'cannot be sent again: it was cut, from 500000 bytes; the whole record may still be at clicks:1:7' errors ||
  fail "the cut record is not spoken of: $(cat errors)"
grep -q "cannot be sent again: it is of topic 'orders', not of clicks; say where it is to go with --to" errors ||
  fail "the other topic's is not spoken of: $(cat errors)"
grep -q '2 of 7 records cannot be sent again' errors || fail "the sum: $(cat errors)"
[ "$(read_all clicks -f 'x\n' | wc -l)" = $((clicks + 5)) ] || fail "the others were not sent"

# ---- late clicks, and another goal
dead_letters 0 list --late
grep -q 'visit-5 .*late click' out || fail "the late clicks: $(cat out)"
dead_letters 0 retry --late --to items --yes
read_all items -f '%h %k %s\n' | grep -q 'eddy.retry.of=late-clicks:.:0,.*__value_schema_id=guid visit-5 late' ||
  fail "--to goes elsewhere, or the schema's name is lost"

expect 4 'no broker of 127.0.0.1:1' dead-letters list --set kafka.bootstrap.servers=127.0.0.1:1
kill -TERM "$broker"
wait "$broker" || fail "a drained eddy fails"

# ---- too many of them end eddy, with a reason
start --set dead_letters.max_ratio=0.02 --set dead_letters.window_clicks=200
for i in 1 2 3 4 5; do printf '{"session_id":"visit-%s"}\n' $i; done | produce clicks -K x
code=0
wait "$broker" || code=$?
broker=
[ "$code" = 5 ] || fail "too many dead letters end eddy with $code: $(cat broker.errors)"
grep -q 'eddy run: 5 of the last 5 clicks cannot be used, and dead_letters.max_ratio (0.02) allows 4 of 200. ' \
  broker.errors || fail "it does not say how many: $(cat broker.errors)"
grep -q "They are in topic dead-letters, see 'eddy dead-letters list'" broker.errors || fail "it does not say where"
