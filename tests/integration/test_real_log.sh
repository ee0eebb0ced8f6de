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
start one kafka.session.timeout.ms=45000 # it stays a member, however long that takes
wait_owns 4 one
sleep 1
kill -STOP "${pids[one]}"
sleep 2 # its last question for more has been answered: there is none
(click 4000) || fail "clicks are not produced"
low=$(((first + $(ends)) / 2))
lose $low
kill -CONT "${pids[one]}"
answered $((8000 - (low - first)))
early=$(answers | awk -v first="$first" -v low="$low" '$1 == 0 && $2 >= first && $2 < low' | wc -l)
[ "$early" = 0 ] || fail "$early clicks were answered that were to be lost"
grep -q "OFFSET_GONE.*partition 0: offsets $first to $((low - 1)) are no longer" "$folder/log-one.log" ||
  fail "nothing is said of the clicks that are lost"
stop one
echo "gone: $((low - first)) clicks were lost and named, the others answered, none twice"

# ---- the topic is made anew: its log is shorter than what was read, and stays so. Once nobody looks at the topics
# meanwhile, and the log tells; once librdkafka sees it go.
make_anew() {
  local code=0
  lose
  sleep 1
  "$EDDY_BINARY" topics create "${options[@]}" --set topics.partitions=4 --set topics.replication=1 >/dev/null ||
    fail "the topic is not made anew"
  (click 40) || fail "clicks are not produced"
  wait "${pids[one]}" || code=$?
  unset "pids[one]"
  [ $code = 3 ] || fail "eddy ends with $code when its topic is made anew"
}
start one kafka.topic.metadata.refresh.interval.ms=300000
wait_owns 4 one
make_anew
grep -q 'LOG_BEHIND' "$folder/log-one.log" || fail "it does not say that it waits"
grep -q 'LOG_CUT.*Was the topic made anew' "$folder/log-one.log" || fail "it does not say why it ends"
echo "anew, unseen: eddy waits, then ends and says why"

# the client whose topic went is left to the end of the process, which is what TSan would call a leak of its threads
export TSAN_OPTIONS=${TSAN_OPTIONS:+$TSAN_OPTIONS:}report_thread_leaks=0
begin seen at_least_once 200
topic=$run_id.seen.clicks
(click 4000) || fail "clicks are not produced"
start one
wait_owns 4 one
answered 4000
make_anew
grep -q 'Was the topic made anew' "$folder/seen-one.log" || fail "it does not say why it ends"
echo "anew, seen: eddy ends and says why"
