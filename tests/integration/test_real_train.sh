#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The role that trains, on a real Apache Kafka: it makes a first model of the sessions there are, goes on learning from
# those that close, and publishes what is not worse; one of several processes does so, another takes over when that is
# killed, and begins again from what a person went back to. Needs a broker: EDDY_KAFKA=host:port, see './dev kafka'.
# shellcheck source=tests/support/eddies.sh
. "$(dirname "$0")/../support/eddies.sh"

begin train at_least_once 200
options+=(--set session.gap_ms=5min --set session.grace_ms=1s --set learn.delay_ms=1s --set update.first_clicks=8000
  --set update.interval_ms=10min --set train.epochs=2 --set train.negatives=100 --set model.width=16
  --set models.keep=20)

# lessons TIME CLICKS: clicks whose event time goes on from TIME (seconds), one a second, in sessions of six.
lessons() {
  awk -v from="$1" -v clicks="$2" 'BEGIN {
    for (i = 0; i < clicks; i++)
      printf "s%d-%d\t{\"session_id\":\"s%d-%d\",\"item_id\":\"i%d\",\"timestamp\":%d000}\n", from, i / 6, from, i / 6,
        (int(i / 6) * 7 + i % 6) % 60, from + i
  }' | kcat -b "$EDDY_KAFKA" -P -t "$run_id.train.clicks" -K "$(printf '\t')" -X topic.partitioner=murmur2_random
}
options+=(--set formats.clicks=json --set formats.sessions=json)

# log_has WHO TEXT [TIMES]: waits for it.
log_has() {
  for _ in $(seq 1 600); do
    [ "$(grep -c "$2" "$folder/train-$1.log")" -lt "${3:-1}" ] || return 0
    kill -0 "${pids[$1]}" 2>/dev/null || fail "$1 ended by itself: $(tail -n 3 "$folder/train-$1.log")"
    sleep 0.1
  done
  fail "$1 does not say '$2' ${3:-1} times: $(tail -n 5 "$folder/train-$1.log")"
}
# log_any TEXT: waits for one of them to say it. Who trains may change whenever one joins.
log_any() {
  local who
  for _ in $(seq 1 600); do
    ! cat "$folder"/train-*.log | grep -q "$1" || return 0
    for who in "${!pids[@]}"; do
      kill -0 "${pids[$who]}" 2>/dev/null || fail "$who ended by itself: $(tail -n 3 "$folder/train-$who.log")"
    done
    sleep 0.1
  done
  fail "nobody says '$1'"
}
trainer() { # who was made it last
  local who
  for who in "${!pids[@]}"; do
    sed -n "s/^time=\([^ ]*\) .*event=trainer .*/\1 $who/p" "$folder/train-$who.log"
  done | sort | tail -n 1 | cut -d ' ' -f 2
}
published() { # the number of the version in use
  "$EDDY_BINARY" model show "${options[@]}" 2>"$folder/errors" | sed -n 's/^version *\([0-9]*\)-.*/\1/p'
}
# wait_published NUMBER: for a version after it. How many updates a lesson takes depends on when its sessions close.
wait_published() {
  local is
  for _ in $(seq 1 300); do
    is=$(published) || is= # before there is one
    [ "${is:-0}" -le "$1" ] || return 0
    sleep 0.2
  done
  fail "there is no version after $1: $(cat "$folder/errors")"
}
# highest BEFORE: the highest version in lines that begin so.
highest() { sed -n "s/^$1\([0-9][0-9]*\)-.*/\1/p" | sort -n | tail -n 1; }
later='\([2-9]\|[1-9][0-9][0-9]*\)-' # a version after the first

# ---- a first model, which the process that does not train takes into use, too
now=$(($(date +%s) - 40000))
lessons $now 9000
start one
start other
wait_owns 4 one other
log_any 'event=training_begins from_version=0'
log_any event=model_updated
wait_published 0
log_has one 'event=model_loaded.*version=1-'
log_has other 'event=model_loaded.*version=1-'
echo "first: one of two processes trained it, both score with it"

# ---- it goes on learning; what is published has been judged, and says what it has learned
lessons $((now + 9000)) 2500
wait_published 1
log_any 'event=model_updated accepted=yes.*judged=[1-9]'
log_has one "event=model_loaded.*version=$later"
log_has other "event=model_loaded.*version=$later"
[ "$("$EDDY_BINARY" model show --json "${options[@]}" | grep -c '"sessions":\[{"partition":0')" = 1 ] ||
  fail "a version does not say which sessions it has learned: $("$EDDY_BINARY" model show --json "${options[@]}")"
lessons $((now + 11500)) 100
for _ in $(seq 1 60); do
  lists=$(committed | grep -c "\"model_version\":\"$later" || true)
  [ "$lists" -lt 100 ] || break
  sleep 0.5
done
[ "$lists" -ge 100 ] || fail "$lists of 100 clicks are answered by a version that learned from the stream"
echo "on: an update was judged, published, and answers clicks"

# ---- the trainer is killed: the other one goes on from where the last version had come
case $(trainer) in one) heir=other killed=one ;; *) heir=one killed=other ;; esac
kill -9 "${pids[$killed]}"
unset "pids[$killed]"
log_has $heir event=trainer
wait_owns 4 $heir
log_has $heir event=training_begins
last=$(published)
lessons $((now + 12000)) 2500
wait_published "$last"
log_has $heir 'event=model_updated accepted=yes'
[ "$(sed -n 's/.*event=training_begins from_version=//p' "$folder/train-$heir.log" | tail -n 1)" != 0 ] ||
  fail "the second trainer began from nothing"
echo "killed: another process went on from version $last"

# ---- a person goes back: the trainer begins again from there
before=$(grep -c 'event=training_begins from_version=1$' "$folder/train-$heir.log" || true)
"$EDDY_BINARY" model rollback 1 "${options[@]}" >/dev/null 2>"$folder/errors" || fail "there is no going back"
last=$("$EDDY_BINARY" model list "${options[@]}" | highest '')
lessons $((now + 15000)) 2500
log_has $heir 'event=training_begins from_version=1$' $((before + 1))
wait_published "$last"
for _ in $(seq 1 100); do
  loaded=$(highest '.*event=model_loaded.*version=' <"$folder/train-$heir.log")
  [ "$loaded" -le "$last" ] || break
  sleep 0.2
done
[ "$loaded" -gt "$last" ] || fail "what was published after version $last is not in use"
echo "back: the trainer went on from version 1, and version $loaded answers clicks"

# ---- the sessions topic gets another partition, and something comes in that. (It grows by being called the late clicks
# of a wider topic.)
wide=(topics create "${options[@]}" --set topics.clicks=wide --set topics.sessions=wide-sessions)
"$EDDY_BINARY" "${wide[@]}" --set topics.late_clicks=wide-late --set topics.partitions=5 >/dev/null ||
  fail "there is no wider topic"
"$EDDY_BINARY" "${wide[@]}" --set topics.late_clicks=sessions --grow >/dev/null || fail "the sessions do not grow"
log_has $heir 'event=sessions_have_grown partitions_before=4 partitions=5'
kcat -b "$EDDY_KAFKA" -C -t "$run_id.train.sessions" -p 0 -c 50 -e -q -K '\t' 2>/dev/null |
  kcat -b "$EDDY_KAFKA" -P -t "$run_id.train.sessions" -p 4 -K '\t'
last=$(published)
lessons $((now + 18000)) 2500
wait_published "$last"
for _ in $(seq 1 100); do
  ! "$EDDY_BINARY" model show --json "${options[@]}" 2>"$folder/errors" | grep -q '{"partition":4,' || break
  sleep 0.2
done
"$EDDY_BINARY" model show --json "${options[@]}" | grep -q '{"partition":4,' ||
  fail "what came in the new partition is not learned: $("$EDDY_BINARY" model show --json "${options[@]}")"
stop $heir
echo "grown: the trainer reads the new partition"
