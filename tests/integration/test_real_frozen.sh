#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Of three brokers, each stands still for longer than the others wait, while two eddies answer clicks: whoever
# coordinates the group or the transactions, and whoever leads a partition, is among them. Each click is answered, and
# none twice. Starts brokers of its own; it runs where a real Kafka is asked for: EDDY_KAFKA=host:port.
# shellcheck source=tests/support/eddies.sh
. "$(dirname "$0")/../support/eddies.sh"
command -v java >/dev/null || exit 77

# eddy takes variables that begin with EDDY_ for options
kafka() { EDDY_KAFKA_HOME=$folder/kafka EDDY_KAFKA_LIBS=$PWD/build/kafka tools/kafka "$@"; }
end_brokers_too() {
  kafka stop >/dev/null 2>&1 || true
  end_all
}
trap end_brokers_too EXIT

# what the brokers say and who leads what, for who reads of a failure
show_cluster() {
  tail -n 5 "$folder"/kafka/run/[123].log || true
  timeout 10 kcat -b "$EDDY_KAFKA" -L 2>&1 | grep -E 'brokers|leader -1|offline|%' || true
}
trap 'show_cluster; fail "not done after $SECONDS s"' TERM

cd "$(dirname "$0")/../.."
kafka start --brokers 3 >/dev/null || fail "three brokers do not start"
EDDY_KAFKA=$(kafka bootstrap)
begin frozen exactly_once 200 topics.replication=3
for broker in ${EDDY_KAFKA//,/ }; do # which one after the other hear of the topics
  for _ in $(seq 1 150); do
    heard=$(kcat -b "$broker" -L 2>/dev/null | grep -c "topic \"$run_id" || true)
    [ "$heard" != 7 ] || break
    sleep 0.2
  done
  [ "$heard" = 7 ] || fail "broker $broker has heard of $heard of 7 topics"
done
start one
start two
wait_owns 2 one
wait_owns 2 two

# librdkafka gives a producer up when a broker leaves it in doubt: then eddy ends with 4 or 7, and a service starts it
# again.
keep() {
  local who code
  for who in one two; do
    ! kill -0 "${pids[$who]}" 2>/dev/null || continue
    code=0
    wait "${pids[$who]}" || code=$?
    case $code in 4 | 7) start "$who" ;; *) fail "$who ends with $code" ;; esac
  done
}

for broker in 1 2 3; do
  click 100000 & # another shop after each broker, for it may have given up
  clicks=$!
  sleep 3
  kafka pause $broker
  sleep 9
  kafka resume $broker
  before=$(places | wc -l)
  answers=$before
  for _ in $(seq 1 100); do
    keep
    answers=$(places | wc -l)
    [ "$answers" -le "$before" ] || break
    sleep 0.3
  done
  if [ "$answers" -le "$before" ]; then
    show_cluster
    fail "nothing is answered after broker $broker stood still"
  fi
  echo "broker $broker stood still for 9 s: from $before to $answers answers after $SECONDS s"
  kill $clicks 2>/dev/null || true
  wait $clicks || true
done
sleep 1
sent=$(kcat -b "$EDDY_KAFKA" -C -t "$run_id.frozen.clicks" -e -q -f '%o\n' 2>/dev/null | wc -l)
keep
answered "$sent"
keep
stop one
stop two
echo "each of three brokers stood still for 9 s: $sent clicks answered, none twice"
