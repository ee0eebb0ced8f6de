#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How eddy makes topics on a real Apache Kafka, and what it says of topics that others made otherwise. Needs a broker:
# EDDY_KAFKA=host:port, see './dev kafka'.
# shellcheck source=tests/support/real.sh
. "$(dirname "$0")/../support/real.sh"

run_id=topics-$$-$(date +%s)

# topics CODE VERB NAME [KEY=VALUE|--grow...]: ends with that code; what it prints is in $folder/out.
topics() {
  local wanted=$1 verb=$2 name=$3 code=0 setting
  local arguments=(--set "kafka.bootstrap.servers=$EDDY_KAFKA" --set topics.partitions=1
    --set "topics.prefix=$run_id.$name.")
  shift 3
  for setting in "$@"; do
    case $setting in
    --*) arguments+=("$setting") ;;
    *) arguments+=(--set "$setting") ;;
    esac
  done
  "$EDDY_BINARY" topics "$verb" "${arguments[@]}" >"$folder/out" 2>"$folder/errors" || code=$?
  [ "$code" = "$wanted" ] || fail "topics $verb $name ends with $code, not $wanted"
}

# start NAME: eddy, until it is ready. Its log is in $folder/run.log.
start() {
  "$EDDY_BINARY" run --set "kafka.bootstrap.servers=$EDDY_KAFKA" --set "topics.prefix=$run_id.$1." \
    --set "group_id=$run_id.$1" --set "state.directory=$folder/state" --set http.listen= --set formats.clicks=json \
    --set kafka.topic.metadata.refresh.interval.ms=500 >"$folder/run.out" 2>"$folder/run.log" &
  eddy_pid=$!
  log_has '"event":"ready"' || fail "eddy does not get ready"
}

# log_has TEXT: waits for it.
log_has() {
  local try
  for try in $(seq 1 100); do
    ! grep -q "$1" "$folder/run.log" || return 0
    sleep 0.2
  done
  return 1
}

# stop: eddy ends well
stop() {
  kill -TERM "$eddy_pid"
  wait "$eddy_pid" || fail "eddy ends badly"
  eddy_pid=
  rm -r "$folder/state"
}

# run_log NAME: the log of eddy from its start until it is ready.
run_log() {
  start "$1"
  stop
}

# ---- as eddy makes them: nothing to say
topics 0 create own
topics 0 check own
[ "$(wc -l <"$folder/out")" = 7 ] || fail "there is something to say about eddy's own topics"
run_log own
! grep -q '"event":"topic_setting"' "$folder/run.log" || fail "eddy warns of its own topics"

# ---- late clicks keep their partition: what cannot fit is not made
topics 3 create own topics.clicks=wide topics.partitions=3
grep -q "late-clicks has 1 partitions and topic $run_id.own.wide has 3.*topics.late_clicks" "$folder/errors" ||
  fail "it does not say what does not fit"
topics 3 check own topics.clicks=wide
grep -q "^$run_id.own.wide *missing" "$folder/out" || fail "a topic is made that cannot be used"

# ---- which then have to grow
topics 0 create grown
topics 0 create grown topics.clicks=wide topics.late_clicks=wide-late topics.partitions=3
topics 3 create grown topics.clicks=wide
grep -q "topics create --grow" "$folder/errors" || fail "it does not say how the late clicks grow"
topics 0 create grown topics.clicks=wide --grow
grep -q "late-clicks *grown from 1 to 3 partitions" "$folder/out" || fail "late clicks do not grow"
topics 0 create grown topics.clicks=wide --grow
! grep -q "grown from" "$folder/out" || fail "late clicks grow twice"
topics 0 check grown topics.clicks=wide
topics 2 check grown --grow

# ---- a number of partitions that was set and is not there is a remark
topics 0 check grown topics.clicks=wide topics.partitions=2
grep -q "remark: 3 partitions, and topics.partitions is 2.*set topics.partitions to 3" "$folder/out" ||
  fail "it does not remark on more partitions"
grep -q "remark: 1 partitions, and topics.partitions is 2.*--alter --topic $run_id.grown.items --partitions 2" \
  "$folder/out" || fail "it does not remark on fewer partitions"

# ---- clicks that grow while eddy runs, once with and once without the late clicks: nothing ends, nothing is lost.
# (A topic grows by being called the late clicks of a wider one.)
click() { # PARTITION TIME
  printf 'v\t{"session_id":"v","item_id":"i%s","timestamp":"2026-01-01T%s:00Z"}\n' "$2" "$2" |
    kcat -b "$EDDY_KAFKA" -P -t "$run_id.$name.clicks" -p "$1" -K '\t'
}
grow() { topics 0 create "$name" topics.clicks=wide "topics.late_clicks=$1" --grow; }
for name in together alone; do
  topics 0 create "$name"
  topics 0 create "$name" topics.clicks=wide topics.late_clicks=wide-late topics.partitions=2
  start "$name"
  [ "$name" = alone ] || grow late-clicks
  grow clicks
  log_has '"event":"assigned","partitions":2' || fail "eddy does not see that clicks have grown"
  for time in 01:00 12:00 02:00; do click 1 "$time"; done
  place=$([ "$name" = alone ] && echo 0 || echo 1)
  for try in $(seq 1 100); do
    kcat -b "$EDDY_KAFKA" -C -t "$run_id.$name.late-clicks" -p "$place" -e -q >"$folder/late" 2>/dev/null
    ! grep -q i02:00 "$folder/late" || break
    [ "$try" != 100 ] || fail "$name: the late click is not in partition $place"
    sleep 0.2
  done
  if [ "$name" = alone ]; then
    log_has "clicks_have_grown.*late-clicks has 1 partitions and topic $run_id.alone.clicks has 2.*create --grow" ||
      fail "eddy does not say that the late clicks should grow"
  elif grep -q clicks_have_grown "$folder/run.log"; then
    fail "eddy complains of late clicks that have grown, too"
  fi
  stop
done

# ---- as a broker makes them when nobody tells it how: made under other topics' names
topics 0 create foreign items.enabled=false topics.items=dead-letters topics.dead_letters=items \
  topics.clicks=recommendations topics.recommendations=clicks
topics 0 create foreign
topics 3 check foreign
grep -q "WRONG: cleanup.policy is delete.*--entity-name $run_id.foreign.items " "$folder/out" ||
  fail "items that retention takes are not found"
grep -q "remark: message.timestamp.type is CreateTime.*--entity-name $run_id.foreign.clicks " "$folder/out" ||
  fail "clicks that producers stamp are not found"
run_log foreign
[ "$(grep -c '"level":"warn","event":"topic_setting"' "$folder/run.log")" = 2 ] || fail "run does not warn once of each"
for advice in items.*cleanup.policy=compact clicks.*message.timestamp.type=LogAppendTime; do
  grep -q "\"topic\":\"$run_id.foreign.$advice" "$folder/run.log" || fail "run does not say to set $advice"
done

# ---- a remark alone is no failure
topics 0 create remark topics.clicks=recommendations topics.recommendations=clicks
topics 0 check remark
grep -q '^  remark: message.timestamp.type' "$folder/out" || fail "there is no remark"
echo "all well"
