#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A log of clicks that loses some, on a real Apache Kafka. What retention takes unread is spoken of, and the rest is
# answered; a topic that is made anew ends eddy, for its positions are of another one. Needs a broker:
# EDDY_KAFKA=host:port, see './dev kafka'; and Python with confluent-kafka, which is fetched.
# shellcheck source=tests/support/eddies.sh
. "$(dirname "$0")/../support/eddies.sh"
python=$(tests/integration/python.sh) || {
  echo "left out: no Python with confluent-kafka"
  exit 77
}

pace=20000 # not the matter here
begin log at_least_once 200
topic=$run_id.log.clicks
lose() { # ARGUMENT...: of the admin
  "$python" - "$EDDY_KAFKA" "$topic" "$@" <<'PYTHON'
import sys
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
admin = AdminClient({"bootstrap.servers": sys.argv[1]})
if len(sys.argv) > 3:
    futures = admin.delete_records([TopicPartition(sys.argv[2], 0, int(sys.argv[3]))])
else:
    futures = admin.delete_topics([sys.argv[2]])
for future in futures.values():
    future.result()
PYTHON
}
ends() { # of partition 0
  kcat -b "$EDDY_KAFKA" -Q -t "$topic:0:-1" | sed 's/.* offset //'
}

# ---- it stands still when it has its partitions, and what it was to read next is taken; answers go on behind that
(click 4000) || fail "clicks are not produced"
start one
wait_owns 4 one
answered 4000
stop one
first=$(ends)
start one kafka.fetch.min.bytes=100000000 kafka.fetch.wait.max.ms=1000 # so that no clicks come before it stands still
wait_owns 4 one
sleep 1
kill -STOP "${pids[one]}"
(click 4000) || fail "clicks are not produced"
last=$(ends)
low=$(((first + last) / 2))
lose $low
kill -CONT "${pids[one]}"
for _ in $(seq 1 300); do
  [ "$(places | wc -l)" -lt $((8000 - (low - first))) ] || break
  sleep 0.1
done
answers >"$folder/answers"
lost=$(awk -v first="$first" -v low="$low" '$1 == 0 && $2 >= first && $2 < low' "$folder/answers" | wc -l)
count=$(wc -l <"$folder/answers")
[ "$count" = "$(cut -d ' ' -f 1,2 "$folder/answers" | sort -u | wc -l)" ] || fail "clicks are answered twice"
[ $((count + low - first - lost)) = 8000 ] || fail "$count answers and $((low - first - lost)) lost clicks are not 8000"
named="OFFSET_GONE.*partition 0: offsets $((first + lost)) to $((low - 1)) are no longer"
[ "$lost" = $((low - first)) ] || grep -q "$named" "$folder/log-one.log" ||
  fail "nothing is said of the clicks that are lost"
echo "gone: offsets $((first + lost)) to $((low - 1)) were lost and named, $count clicks answered, none twice"

# ---- the topic is made anew: its log is shorter than what was read, and stays so
lose
sleep 1
"$EDDY_BINARY" topics create "${options[@]}" --set topics.partitions=4 --set topics.replication=1 >/dev/null ||
  fail "the topic is not made anew"
(click 40) || fail "clicks are not produced"
code=0
wait "${pids[one]}" || code=$?
[ $code = 3 ] || fail "eddy ends with $code when its topic is made anew"
grep -q 'Was the topic made anew' "$folder/log-one.log" || fail "it does not say why"
echo "anew: eddy ends and says why"
