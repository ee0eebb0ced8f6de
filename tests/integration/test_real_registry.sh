#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# eddy with a real schema registry and a real Apache Kafka: clicks by confluent-kafka's AvroSerializer are answered,
# its AvroDeserializer reads the answers, and no click is lost while the registry is away. Needs both:
# EDDY_KAFKA=host:port and EDDY_REGISTRY=url, see './dev kafka' and './dev registry'.
# shellcheck source=tests/support/real.sh
. "$(dirname "$0")/../support/real.sh"

[ -n "${EDDY_REGISTRY:-}" ] || exit 77
export no_proxy=127.0.0.1
forwarder=
finish_all() {
  [ -z "$forwarder" ] || kill "$forwarder" 2>/dev/null || true
  finish
}
trap finish_all EXIT

if ! python=$(tests/integration/python.sh); then
  echo "left out: Python's clients cannot be installed here"
  exit 77
fi
client() { "$python" tests/integration/registry_client.py "$@"; }

run_id=r$$-$(date +%s)
port=$((20000 + RANDOM % 20000))

settings() { # NAME
  printf -- '--set\n%s\n' "kafka.bootstrap.servers=$EDDY_KAFKA" "topics.prefix=$run_id.$1." "group_id=$run_id.$1" \
    "state.directory=$folder/state-$1" "http.listen=127.0.0.1:$port" "registry.url=$EDDY_REGISTRY" \
    "formats.clicks=confluent" "topics.partitions=2" "kafka.session.timeout.ms=6000"
}

with() { # NAME COMMAND... [--set KEY=VALUE...]
  local name=$1 arguments
  shift
  mapfile -t arguments < <(settings "$name")
  "$EDDY_BINARY" "$@" "${arguments[@]}" "${extra[@]}"
}
extra=()

start_eddy() { # NAME
  local arguments
  mapfile -t arguments < <(settings "$1")
  "$EDDY_BINARY" run "${arguments[@]}" "${extra[@]}" >"$folder/run.out" 2>>"$folder/run.log" &
  eddy_pid=$!
}

# metric NAME: the sum of its rows.
metric() {
  curl -s "http://127.0.0.1:$port/metrics" |
    awk -v name="$1" 'index($1, name) == 1 { sum += $2 } END { print sum + 0 }'
}

wait_metric() { # NAME MIN
  local try
  for try in $(seq 1 150); do
    [ "$(metric "$1")" -lt "$2" ] || return 0
    kill -0 "$eddy_pid" 2>/dev/null || fail "eddy ended by itself"
    sleep 0.2
  done
  fail "$1 is $(metric "$1") and not $2 after $try tries"
}

count() { kcat -b "$EDDY_KAFKA" -C -t "$run_id.$1" -e -q -f 'x' 2>/dev/null | wc -c; }

# ---- in: a schema of the shop's own, registered by its producer; out: eddy's, registered by eddy
extra=(--set formats.recommendations=confluent --set formats.sessions=confluent --set formats.items=confluent)
with plain topics create >/dev/null || fail "no topics are made"
with plain schemas check >"$folder/check" || fail "schemas check before a schema is there: $(cat "$folder/check")"
grep -q "^$run_id.plain.recommendations-value .*'eddy run' registers it" "$folder/check" ||
  fail "$(cat "$folder/check")"
client produce "$EDDY_KAFKA" "$EDDY_REGISTRY" "$run_id.plain.clicks" 200 || fail "clicks are not produced"
start_eddy plain
wait_metric eddy_recommendations_total 200
with plain schemas check >"$folder/check" || fail "schemas check: $(cat "$folder/check")"
grep -q "^$run_id.plain.recommendations-value .* registered" "$folder/check" || fail "$(cat "$folder/check")"
grep -q "^$run_id.plain.clicks-value .* can be read" "$folder/check" || fail "$(cat "$folder/check")"

# ---- an id that nobody knows
client strange "$EDDY_KAFKA" "$run_id.plain.clicks" 987654321 || fail "the strange click is not produced"
wait_metric 'eddy_clicks_total{result="dead_letter"}' 1
stop_eddy
kcat -b "$EDDY_KAFKA" -C -t "$run_id.plain.dead-letters" -e -q -f '%h\n' >"$folder/dead"
grep -q '987654321 is unknown to the registry' "$folder/dead" || fail "dead letters: $(cat "$folder/dead")"
client read "$EDDY_KAFKA" "$EDDY_REGISTRY" "$run_id.plain.recommendations" 200 || fail "the subscriber"

# ---- a subject that eddy's schema does not fit to
compatible() { # SUBJECT
  curl -s -f -X PUT -H 'Content-Type: application/vnd.schemaregistry.v1+json' \
    --data '{"compatibility":"BACKWARD"}' "$EDDY_REGISTRY/config/$1" >/dev/null
}
curl -s -f -H 'Content-Type: application/vnd.schemaregistry.v1+json' \
  --data '{"schema":"{\"type\":\"string\"}"}' "$EDDY_REGISTRY/subjects/$run_id.other.recommendations-value/versions" \
  >/dev/null || fail "a subject cannot be made"
compatible "$run_id.other.recommendations-value" || fail "the compatibility cannot be set"
with other topics create >/dev/null || fail "no topics are made"
code=0
with other schemas check >"$folder/check" 2>&1 || code=$?
if [ "$code" != 3 ] || ! grep -q 'WRONG: .*does not fit' "$folder/check"; then
  fail "check: $code: $(cat "$folder/check")"
fi
code=0
with other run 2>"$folder/other.log" || code=$?
if [ "$code" != 3 ] || ! grep -q "does not take eddy's schema" "$folder/other.log"; then
  fail "an incompatible schema: $code: $(tail -3 "$folder/other.log")"
fi

# ---- the id in a header, written and read
extra+=(--set registry.id_place=header)
with header topics create >/dev/null || fail "no topics are made"
with header generate --kafka --clicks 300 --items 50 --sessions 20 --rate 100 2>"$folder/generate.log" ||
  fail "clicks are not produced: $(cat "$folder/generate.log")"
start_eddy header
wait_metric eddy_recommendations_total 250
[ "$(metric 'eddy_items_total{result="applied"}')" -ge 50 ] || fail "items with the id in a header are not read"
[ "$(metric 'eddy_clicks_total{result="dead_letter"}')" = 0 ] || fail "clicks with the id in a header are not read"
stop_eddy
client read "$EDDY_KAFKA" "$EDDY_REGISTRY" "$run_id.header.recommendations" 250 >"$folder/read" || fail "the subscriber"
! grep -q ' 0 with the id in a header' "$folder/read" || fail "$(cat "$folder/read")"

# ---- the registry is away when an id is met first: nothing is lost, and eddy can be stopped meanwhile
extra=()
address=${EDDY_REGISTRY#http://}
behind=$((20000 + RANDOM % 20000))
with away topics create >/dev/null || fail "no topics are made"
client produce "$EDDY_KAFKA" "$EDDY_REGISTRY" "$run_id.away.clicks" 150 || fail "clicks are not produced"
extra=(--set "registry.url=http://127.0.0.1:$behind/${address#*/}")
start_eddy away
wait_metric eddy_schema_waits_total 2
stop_eddy
start_eddy away
wait_metric eddy_schema_waits_total 2
[ "$(count away.recommendations)" = 0 ] || fail "clicks are answered without their schema"
"$python" tests/integration/registry_client.py forward "$behind" "${address%%/*}" >/dev/null 2>&1 &
forwarder=$!
wait_metric 'eddy_clicks_total{result="answered"}' 150
stop_eddy
[ "$(count away.recommendations)" = 150 ] || fail "$(count away.recommendations) of 150 clicks are answered"
[ "$(count away.dead-letters)" = 0 ] || fail "clicks are dead letters because the registry was away"
echo "all well"
