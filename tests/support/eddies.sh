# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by the tests in which several eddies of one group answer clicks on a real Apache Kafka; see real.sh. They have
# a name, run_id, of their own, and `pace` clicks a second.
# ctest would kill it after 600 s, and leave processes behind
[ -n "${TEST_IN_TIME:-}" ] || TEST_IN_TIME=1 exec timeout 540 "$0"
# shellcheck source=tests/support/real.sh
. "$(dirname "$0")/../support/real.sh"

run_id=eddies-$$-$(date +%s)
pace=250
declare -A pids
end_all() {
  local pid
  for pid in $(jobs -p); do kill -9 "$pid" 2>/dev/null || true; done # eddies, one that is stopped too, and the shop
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
  : >>"$folder/$name-$who.log"
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

# committed: the answers of whole transactions, to the ends that the partitions have now. `kcat -e` alone would read on
# for as long as more come, for librdkafka sees the end of a partition only when a fetch brings nothing.
committed() {
  local topic=$run_id.$name.recommendations options=(-b "$EDDY_KAFKA" -X isolation.level=read_committed) ends
  until ends=$(kcat "${options[@]}" -Q -t "$topic:0:-1" -t "$topic:1:-1" -t "$topic:2:-1" -t "$topic:3:-1" \
    2>/dev/null); do sleep 0.5; done # a leader may be on its way
  # kcat fails when nobody listens any more: whether all was read is for awk to say
  { kcat "${options[@]}" -C -t "$topic" -e -u -f '%p %o %k %s\n' 2>&1 || true; } | awk -v ends="$ends" '
    BEGIN {
      left = split(ends, line, "\n")
      for (i = 1; i <= left; i++) { split(line[i], word, /[][ ]+/); end[word[2]] = word[4] }
    }
    /^% Reached end of topic/ { match($0, /\[[0-9]+\]/); reached(substr($0, RSTART + 1, RLENGTH - 2)) }
    /^[0-9]/ { if ($2 < end[$1]) { sub(/^[0-9]+ [0-9]+ /, ""); print } else reached($1) }
    function reached(partition) {
      if (!(partition in done)) { done[partition]; left-- }
      if (left <= 0) exit
    }
    END { if (left > 0) { print "kcat did not read " left " of the partitions to the end" >"/dev/stderr"; exit 1 } }'
}

# answers: partition and offset of the click, position and session, of each answer that is committed.
answers() {
  committed | sed -n \
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
