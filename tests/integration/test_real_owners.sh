#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Partitions change owners on a real Apache Kafka while clicks come in: they are revoked with a batch in flight, a
# process is taken for dead and goes on, the clicks topic grows, brokers stand still. Each click is answered, and none
# twice. Needs a broker: EDDY_KAFKA=host:port, see './dev kafka'; and starts three of its own.
# ctest would kill it after 600 s, and leave brokers behind
[ -n "${OWNERS_IN_TIME:-}" ] || OWNERS_IN_TIME=1 exec timeout 540 "$0"
# shellcheck source=tests/support/real.sh
. "$(dirname "$0")/../support/real.sh"

run_id=owners-$$-$(date +%s)
pace=250 # clicks a second
declare -A pids
# eddy takes variables that begin with EDDY_ for options
kafka() { EDDY_KAFKA_HOME=$folder/kafka EDDY_KAFKA_LIBS=$PWD/build/kafka tools/kafka "$@"; }
end_all() {
  local pid
  for pid in $(jobs -p); do kill -9 "$pid" 2>/dev/null || true; done # eddies, one that is stopped too, and the shop
  kafka stop >/dev/null 2>&1 || true
  finish
}
trap end_all EXIT
trap 'fail "not done after $SECONDS s"' TERM

# begin NAME DELIVERY COMMIT_INTERVAL_MS [KEY=VALUE]: topics and a group of their own.
begin() {
  name=$1
  options=(--set "kafka.bootstrap.servers=$EDDY_KAFKA" --set "topics.prefix=$run_id.$name."
    --set "group_id=$run_id.$name" --set http.listen= --set formats.recommendations=json --set log.format=logfmt
    --set session.infer_duplicates=false --set "delivery=$2" --set "commit_interval_ms=$3"
    --set kafka.session.timeout.ms=6000 --set kafka.topic.metadata.refresh.interval.ms=500)
  "$EDDY_BINARY" topics create "${options[@]}" --set topics.partitions=4 --set "${4:-topics.replication=1}" \
    >/dev/null || fail "no topics are made"
}

# start WHO [KEY=VALUE...]: an eddy.
start() {
  local who=$1 setting more=()
  shift
  for setting in "$@"; do more+=(--set "$setting"); done
  "$EDDY_BINARY" run "${options[@]}" --set "state.directory=$folder/$name-$who" "${more[@]}" \
    >/dev/null 2>>"$folder/$name-$who.log" &
  pids[$who]=$!
}

stop() { # WHO
  local code=0
  kill -TERM "${pids[$1]}" 2>/dev/null || fail "$name: $1 ended by itself"
  wait "${pids[$1]}" || code=$?
  unset "pids[$1]"
  [ "$code" = 0 ] || fail "$name: a stopped eddy exits with $code"
}

# click CLICKS: in the background, so that who is killed is the shop itself.
click() {
  exec "$EDDY_BINARY" generate "${options[@]}" --kafka --clicks "$1" --items 200 --sessions 100 --rate "$pace" \
    --pace "$pace" 2>/dev/null
}

# owns WHO: how many partitions it was assigned last, 0 when they were revoked since.
owns() {
  sed -n 's/.*event=assigned partitions=\([0-9]*\).*/\1/p; s/.*event=revoked .*/0/p' "$folder/$name-$1.log" | tail -n 1
}

# wait_owns COUNT WHO...: they have so many partitions together.
wait_owns() {
  local who sum count=$1
  shift
  for _ in $(seq 1 400); do
    sum=0
    for who in "$@"; do
      kill -0 "${pids[$who]}" 2>/dev/null || fail "$name: $who ended by itself"
      sum=$((sum + $(owns "$who" || true) + 0))
    done
    [ "$sum" != "$count" ] || return 0
    sleep 0.1
  done
  fail "$name: $* have $sum partitions, not $count"
}

# answers: partition and offset of the click, position and session, of each answer that is committed.
answers() {
  kcat -b "$EDDY_KAFKA" -C -t "$run_id.$name.recommendations" -e -q -X isolation.level=read_committed \
    -f '%k %s\n' 2>/dev/null | sed -n \
    's/^\([^ ]*\) .*"partition":\([0-9]*\),"offset":\([0-9]*\),"revision":0.*"position":\([0-9]*\).*/\2 \3 \4 \1/p'
}

places() { answers | cut -d ' ' -f 1,2; }

# answered COUNT: each click is answered, and once.
answered() {
  local different
  for _ in $(seq 1 120); do
    different=$(places | sort -u | wc -l)
    [ "$different" -lt "$1" ] || break
    sleep 0.5
  done
  [ "$different" = "$1" ] || fail "$name: $different of $1 clicks are answered"
  [ "$(places | wc -l)" = "$1" ] || fail "$name: $(places | wc -l) answers to $1 clicks"
}

# ---- revoked with a batch in flight: a commit is due every 5 s only, so what was answered since then is committed by
# giving the partitions up, or has to be answered by the next owner.
for delivery in exactly_once at_least_once; do
  begin "revoked-$delivery" "$delivery" 5000
  start one static_membership=false
  wait_owns 4 one
  click 4000 &
  clicks=$!
  rounds=0
  while kill -0 $clicks 2>/dev/null; do
    start two static_membership=false
    wait_owns 2 one
    wait_owns 2 two
    sleep 1
    stop two
    wait_owns 4 one
    rounds=$((rounds + 1))
  done
  wait $clicks || fail "$name: clicks are not produced"
  sleep 1
  stop one
  answered 4000
  echo "$name: $rounds times there and back, 4000 clicks answered, none twice"
done

# ---- a process is taken for dead while its transaction is open: what it wakes up with is not committed
begin zombie exactly_once 2000
start one
start two
wait_owns 2 one
wait_owns 2 two
click 6000 &
clicks=$!
sleep 5
kill -STOP "${pids[one]}"
wait_owns 4 two # after the session's time-out
committed=$(places | wc -l)
sleep 2
kill -CONT "${pids[one]}"
wait_owns 2 two # it has come back
wait_owns 2 one
grep -q 'event=revoked .*lost=yes' "$folder/zombie-one.log" ||
  fail "zombie: it does not notice that it was taken for dead"
wait $clicks || fail "zombie: clicks are not produced"
answered 6000
stop one
stop two
echo "zombie: taken for dead after $committed answers, went on: 6000 clicks answered, none twice"

# ---- the clicks topic grows. Keys hash anew then: visitors go on in other partitions, where their sessions begin anew.
# (A topic grows by being called the late clicks of a wider one.)
grow() { # TOPIC
  "$EDDY_BINARY" topics create "${options[@]}" --set topics.clicks=wide --set "topics.late_clicks=$1" --grow \
    >/dev/null || fail "grown: $1 does not grow"
}
begin grown exactly_once 200
"$EDDY_BINARY" topics create "${options[@]}" --set topics.clicks=wide --set topics.late_clicks=wide-late \
  --set topics.partitions=8 >/dev/null || fail "grown: no wider topic is made"
start one
wait_owns 4 one
click 4000 &
clicks=$!
sleep 4
grow late-clicks
grow clicks
wait_owns 8 one
wait $clicks || fail "grown: clicks are not produced"
answered 4000
stop one
answers >"$folder/grown"
# first: the lowest position that a session has in a partition; one that is in an old and a new one has moved
awk '!(($4, $1) in first) || $3 < first[$4, $1] { first[$4, $1] = $3 }
  $1 < 4 { old[$4] = 1 }
  $1 >= 4 { new[$4] = $1 }
  END { for (id in new) if (id in old) { moved++; if (first[id, new[id]] != 1) wrong++ }
        print length(old), moved + 0, wrong + 0 }' "$folder/grown" >"$folder/moved"
read -r before moved wrong <"$folder/moved"
[ "$moved" -gt 0 ] || fail "grown: no session has moved to a new partition"
[ "$wrong" = 0 ] || fail "grown: $wrong of $moved sessions that moved do not begin anew"
counted=$(sed -n 's/.*event=partitions_added .*sessions_moved=\([0-9]*\).*/\1/p' "$folder/grown-one.log")
if [ "${counted:-0}" -lt "$moved" ] || [ "$counted" -ge "$before" ]; then
  fail "grown: it counts ${counted:-no} sessions that moved; $moved of $before are seen to"
fi
echo "grown: from 4 to 8 partitions, 4000 clicks answered, none twice; $moved of $counted moved sessions began anew"

# ---- of three brokers, each stands still for longer than the others wait: whoever coordinates the group or the
# transactions, and whoever leads a partition, is among them
command -v java >/dev/null || {
  echo "still: left out, for there is no java to start three brokers with"
  exit 0
}
cd "$(dirname "$0")/../.."
kafka start --brokers 3 >/dev/null || fail "three brokers do not start"
EDDY_KAFKA=$(kafka bootstrap)
begin still exactly_once 200 topics.replication=3
for broker in ${EDDY_KAFKA//,/ }; do # which one after the other hear of the topics
  for _ in $(seq 1 150); do
    heard=$(kcat -b "$broker" -L 2>/dev/null | grep -c "topic \"$run_id" || true)
    [ "$heard" != 6 ] || break
    sleep 0.2
  done
  [ "$heard" = 6 ] || fail "still: broker $broker has heard of $heard of 6 topics"
done
start one
start two
wait_owns 2 one
wait_owns 2 two
# librdkafka gives a producer up when a broker leaves it in doubt: then eddy ends with 4 or 7, and a service starts it
# again; and after each broker another shop opens.
keep() {
  local who code
  for who in one two; do
    ! kill -0 "${pids[$who]}" 2>/dev/null || continue
    code=0
    wait "${pids[$who]}" || code=$?
    case $code in 4 | 7) start "$who" ;; *) fail "still: $who ends with $code" ;; esac
  done
}
for broker in 1 2 3; do
  click 100000 &
  clicks=$!
  sleep 3
  before=$(places | wc -l)
  kafka pause $broker
  sleep 9
  kafka resume $broker
  keep
  for _ in $(seq 1 100); do
    [ "$(places | wc -l)" -le "$before" ] || break
    sleep 0.3
  done
  [ "$(places | wc -l)" -gt "$before" ] || fail "still: nothing is answered after broker $broker stood still"
  kill $clicks 2>/dev/null || true
  wait $clicks || true
  keep
done
sleep 1
sent=$(kcat -b "$EDDY_KAFKA" -C -t "$run_id.still.clicks" -e -q -f '%o\n' 2>/dev/null | wc -l)
answered "$sent"
keep
stop one
stop two
echo "still: each of three brokers stood still for 9 s: $sent clicks answered, none twice"
