#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# eddy on a real Apache Kafka: every click is answered also when eddy is killed, the same clicks give the same bytes,
# and subscribers that know nothing of eddy read the answers. Needs a broker: EDDY_KAFKA=host:port, see './dev kafka'.
# shellcheck source=tests/support/real.sh
. "$(dirname "$0")/../support/real.sh"

run_id=$$-$(date +%s)
port=$((20000 + RANDOM % 20000))

# settings NAME: what eddy is run with; one group, one state directory and one set of topics a name.
settings() {
  printf -- '--set\n%s\n' "kafka.bootstrap.servers=$EDDY_KAFKA" "topics.prefix=$run_id.$1." "group_id=$run_id.$1" \
    "state.directory=$folder/state-$1" "http.listen=127.0.0.1:$port" "formats.recommendations=json" \
    "session.gap_ms=1min" "kafka.session.timeout.ms=6000"
}

start_eddy() { # NAME [KEY=VALUE...]
  local name=$1 arguments setting
  shift
  mapfile -t arguments < <(settings "$name")
  for setting in "$@"; do arguments+=(--set "$setting"); done
  "$EDDY_BINARY" run "${arguments[@]}" >"$folder/run.out" 2>>"$folder/run.log" &
  eddy_pid=$!
}

prepare() { # NAME PARTITIONS CLICKS
  local arguments
  mapfile -t arguments < <(settings "$1")
  "$EDDY_BINARY" topics create "${arguments[@]}" --set "topics.partitions=$2" >/dev/null || fail "no topics are made"
  "$EDDY_BINARY" topics check "${arguments[@]}" >/dev/null || fail "the topics do not pass the check"
  [ "$3" = 0 ] || generate "$1" "$3"
}

generate() { # NAME CLICKS [OPTION...]
  local arguments
  mapfile -t arguments < <(settings "$1")
  "$EDDY_BINARY" generate "${arguments[@]}" --kafka --clicks "$2" --items 500 --sessions 200 --rate 100 "${@:3}" \
    2>/dev/null || fail "clicks are not produced"
}

# lists TOPIC FORMAT: all of a topic.
lists() { kcat -b "$EDDY_KAFKA" -C -t "$run_id.$1" -e -q -f "$2" 2>/dev/null; }

# answered NAME: how many different clicks have an answer.
answered() {
  lists "$1.recommendations" '%s\n' | sed -n 's/.*"partition":\([0-9]*\),"offset":\([0-9]*\),.*/\1 \2/p' |
    sort -u | wc -l
}

wait_answered() { # NAME COUNT
  local try
  for try in $(seq 1 120); do
    [ "$(answered "$1")" -lt "$2" ] || return 0
    kill -0 "$eddy_pid" 2>/dev/null || fail "eddy ended by itself"
    sleep 0.5
  done
  fail "$(answered "$1") of $2 clicks are answered after $try tries"
}

# Clicks that eddy took out as repeats of one another have no answer; it counts them.
duplicates() {
  curl -s "http://127.0.0.1:$port/metrics" | sed -n 's/^eddy_clicks_total{result="duplicate"} //p'
}

# ---- every click is answered, and a stop and a start in between answer none twice
clicks=6000
prepare calm 4 $clicks
start_eddy calm
for _ in $(seq 1 100); do
  curl -s "http://127.0.0.1:$port/readyz" | grep -q '^ready' && break
  sleep 0.2
done
curl -s "http://127.0.0.1:$port/readyz" | grep -q '^ready' || fail "eddy does not get ready"
for _ in $(seq 1 100); do
  done_count=$(curl -s "http://127.0.0.1:$port/metrics" |
    awk '/^eddy_clicks_total/ { sum += $2 } END { print sum + 0 }')
  [ "$done_count" -lt $clicks ] || break
  sleep 0.2
done
repeats=$(duplicates)
[ "$(answered calm)" = $((clicks - repeats)) ] ||
  fail "$(answered calm) of $clicks clicks are answered, $repeats are repeats"
stop_eddy
start_eddy calm
sleep 3
stop_eddy
grep -q learned_state_restored "$folder/run.log" || fail "what was learned has to be read again"
[ -s "$folder/state-calm/$run_id.calm.sessions.learned" ] || fail "nothing is saved of what was learned"
[ "$(lists calm.recommendations x | wc -c)" = $((clicks - repeats)) ] || fail "a restart answers clicks again"

# ---- killed again and again while clicks come in; as a static member, so that it need not wait for itself
prepare killed 4 0
generate killed $clicks --pace 1200 &
generator=$!
kills=0
while kill -0 $generator 2>/dev/null; do
  start_eddy killed commit_interval_ms=100 kafka.group.instance.id=the-one
  sleep 1.$((RANDOM % 10))
  kill -9 "$eddy_pid"
  wait "$eddy_pid" 2>/dev/null || true
  kills=$((kills + 1))
done
wait $generator
[ "$kills" -ge 3 ] || fail "only $kills kills"
start_eddy killed kafka.group.instance.id=the-one
wait_answered killed $((clicks - repeats))
stop_eddy
lists killed.recommendations '%s\n' | sed 's/"learned_version":"[^"]*",//; s/"items":.*//' | sort -u \
  >"$folder/identities"
[ "$(wc -l <"$folder/identities")" = "$(answered killed)" ] || fail "answers after a kill differ in what they answer"
echo "killed $kills times: $(lists killed.recommendations x | wc -c) answers to $(answered killed) clicks"

# ---- the same clicks, twice, give the same bytes
prepare once 1 $clicks
for copy in 1 2; do
  arguments=("topics.prefix=" "topics.clicks=$run_id.once.clicks" "topics.items=$run_id.once.items")
  for topic in recommendations sessions late_clicks dead_letters; do
    arguments+=("topics.$topic=$run_id.copy$copy.$topic")
  done
  mapfile -t base < <(settings "copy$copy")
  for setting in "${arguments[@]}"; do base+=(--set "$setting"); done
  "$EDDY_BINARY" topics create "${base[@]}" --set topics.partitions=1 >/dev/null || fail "no topics are made"
  # another batching and another rhythm of commits must not matter
  start_eddy "copy$copy" "${arguments[@]}" "batch_clicks=$((copy * 100))" "commit_interval_ms=$((copy * 40))" \
    "formats.recommendations=avro"
  for _ in $(seq 1 120); do
    [ "$(lists "copy$copy.recommendations" x | wc -c)" -lt $((clicks - repeats)) ] || break
    sleep 0.5
  done
  stop_eddy
  kcat -b "$EDDY_KAFKA" -C -t "$run_id.copy$copy.recommendations" -e -q -D '' >"$folder/copy$copy"
done
[ -s "$folder/copy1" ] || fail "nothing was published"
cmp "$folder/copy1" "$folder/copy2" || fail "the same clicks gave other bytes"

# ---- a subscriber written with Python's confluent-kafka and fastavro
prepare wire 2 2000
start_eddy wire formats.recommendations=confluent schema_ids.write.recommendations=4711
for _ in $(seq 1 120); do
  [ "$(lists wire.recommendations x | wc -c)" -lt 1900 ] || break
  sleep 0.5
done
stop_eddy
if ! python=$(tests/integration/python.sh); then
  echo "left out: Python's clients cannot be installed here"
  exit 0
fi
"$python" tests/integration/subscriber.py "$EDDY_KAFKA" "$run_id.wire.recommendations" \
  schemas/recommendation.avsc 4711 1900 || fail "the Python subscriber"
echo "all well"
