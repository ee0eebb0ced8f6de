#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Partitions change owners on a real Apache Kafka while clicks come in: they are revoked with a batch in flight, a
# process is taken for dead and goes on, the clicks topic grows. Each click is answered, and none twice. Needs a broker:
# EDDY_KAFKA=host:port, see './dev kafka'.
# shellcheck source=tests/support/eddies.sh
. "$(dirname "$0")/../support/eddies.sh"

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
