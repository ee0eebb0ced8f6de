#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: chaos.sh [--models] [--kills N] [--partitions N] [--seed N] [--folder FOLDER] [--kinds KIND,...]
#                 [--set KEY=VALUE]...
#
# Three eddies that are exactly once, on three brokers, while clicks come in. One after the other is hurt, in an order
# that the seed decides (when it happens is the machine's):
#
#   kill     an eddy is killed and started again at once            (same member, same transactional ids)
#   away     killed, and started again when others have its partitions
#   term     stopped with SIGTERM and started again
#   zombie   stopped with SIGSTOP until others have its partitions; then it goes on
#   wipe     killed and its state directory removed: sessions are rebuilt, its transactions wait for their time-out
#   full     its file system is full for some seconds (a small tmpfs of its own; only for who may mount one)
#   squeeze  it gets no more memory than it has, until it ends by that, or for some seconds
#   broker   a broker is killed, and started again after some seconds
#   freeze   a broker stops with SIGSTOP for longer than its session's time-out
#
# Up to three may be hurt at once, but one broker only. Afterwards everything is answered, and chaos_check compares what
# is committed with a model of the clicks, and byte by byte with the output of an eddy that nobody hurt. What is learned
# stands still: a snapshot, and learn.delay_ms of a day.
#
# With --models the eddies train as well, publish a version every few seconds and answer by it; what is hurt is also
#
#   trainer  the eddy that trains is killed, and started again when another one trains
#   rollback a person goes back to the version before, which fences whoever trains
#
# Then chaos_check looks at each version that ever was in use, and at who names one (tests/chaos/versions.h), and no
# answers are compared with those of the calm run, which has no model.
#
# A seed gives the same order of them wherever it runs: what is drawn and left out, or not possible just then, is passed
# over. --kinds leaves only some of them; --set goes to the eddies that are hurt, for example static_membership=false.
#
# Ends with 1 when something was lost, repeated or different, or an eddy ended by itself with another code than 4 or 7,
# after which a service starts it again. For want of memory or room on its disk it may end with any that a service
# starts again after (deploy/eddy.service), but by no signal; for want of memory by an assert of librdkafka's, which
# checks its allocations so.
#
# EDDY_BINARY and CHAOS_CHECK name the programs. All is in FOLDER, which must be new or empty; without --folder in one
# that is removed when all is well.
set -euo pipefail
cd "$(dirname "$0")/../.."

all_kinds=(kill away term zombie wipe full squeeze broker freeze)
kinds=() sets=() models=''
kills=200 partitions=12 seed=$((RANDOM % 10000)) folder='' keep=1
while [ $# -gt 0 ]; do
  case $1 in
  --models)
    models=1 all_kinds+=(trainer rollback)
    shift
    continue
    ;;
  --kills) kills=$2 ;;
  --partitions) partitions=$2 ;;
  --seed) seed=$2 ;;
  --folder) folder=$2 ;;
  --kinds) IFS=, read -r -a kinds <<<"$2" ;;
  --set) sets+=(--set "$2") ;;
  *)
    printf 'chaos.sh: unknown option %s\n' "$1" >&2
    exit 2
    ;;
  esac
  shift 2
done
case $kills$partitions$seed in *[!0-9]*)
  echo "chaos.sh: --kills, --partitions and --seed take a number" >&2
  exit 2
  ;;
esac
for kind in "${kinds[@]}"; do
  case " ${all_kinds[*]} " in *" $kind "*) ;; *)
    echo "chaos.sh: --kinds takes ${all_kinds[*]}, separated by commas, not '$kind'" >&2
    exit 2
    ;;
  esac
done

eddies=3
pace=240            # clicks a second
timeout_ms=6000     # of members and of brokers
beyond=9            # seconds: longer than that
ending=15           # seconds that an end takes at most
RANDOM=$seed
[ -n "$folder" ] || folder=$(mktemp -d "${TMPDIR:-/tmp}/eddy-chaos.XXXXXX") keep=
mkdir -p "$folder"
[ -z "$(ls -A "$folder")" ] || {
  echo "chaos.sh: $folder is not empty" >&2
  exit 2
}
wanted() { case " ${kinds[*]} " in *" $1 "*) ;; *) return 1 ;; esac }
asked=${#kinds[@]}
[ "$asked" != 0 ] || kinds=("${all_kinds[@]}")
if wanted full && ! why=$( (mount -t tmpfs -o size=4k eddy-chaos "$folder" && umount "$folder") 2>&1); then
  if [ "$asked" != 0 ]; then
    printf 'chaos.sh: --kinds full mounts a tmpfs for each eddy, which is refused: %s\n' "${why%%$'\n'*}" >&2
    [ -n "$keep" ] || rmdir "$folder"
    exit 2
  fi
  printf 'without full, for no tmpfs can be mounted: %s\n' "${why%%$'\n'*}"
  mapfile -t kinds < <(printf '%s\n' "${all_kinds[@]}" | grep -vx full)
fi
# eddy takes variables that begin with EDDY_ for options
kafka() { EDDY_KAFKA_HOME=$folder/kafka EDDY_KAFKA_LIBS=$PWD/build/kafka tools/kafka "$@"; }

pids=() said_before=() relieved_ms=() mounts=() generator='' odd=''
finish() {
  local pid
  for pid in "${pids[@]}" $generator $odd; do
    [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true
  done
  kafka stop >/dev/null 2>&1 || true
  wait 2>/dev/null || true
  for mounted in "${mounts[@]}"; do umount "$mounted" || true; done
  mounts=()
}
trap finish EXIT
fail() {
  printf 'FAILED: %s (what is left is in %s)\n' "$*" "$folder" >&2
  exit 1
}
say() { printf '%5d s  %s\n' "$SECONDS" "$*"; }

# ---- the two runs

common() { # TOPIC-PREFIX REPLICATION
  cat <<YAML
kafka:
  bootstrap.servers: $bootstrap
  session.timeout.ms: $timeout_ms
  transaction.timeout.ms: 10000
topics:
  clicks: hurt.clicks
  items: hurt.items
  recommendations: $1.recommendations
  sessions: $1.sessions
  late_clicks: $1.late_clicks
  models: $1.models
  dead_letters: $1.dead_letters
  partitions: $partitions
  replication: 3
formats: {clicks: json, items: json, recommendations: avro, sessions: avro}
group_id: $1
session: {gap_ms: 3s, grace_ms: 1s, max_duration_ms: 90s, clicks_max: 1000, future_max_ms: 2s, idle_ms: 0}
learn: {delay_ms: 1d, snapshot: $folder/learned.state}
fusion: {list_size: 5}
http: {listen: ""}
log: {format: logfmt}
state: {directory: $folder/state-$1}
YAML
}

# A version every few seconds, each of some chunks; none is refused, or there would be fewer.
training() {
  cat <<YAML
roles: [recommend, train]
models: {enabled: true, keep: 2, payload: float32}
model: {width: 256}
train: {epochs: 1, negatives: 50}
update: {first_clicks: 1500, clicks: 500, interval_ms: 0, clicks_max: 4000, noise: 100}
YAML
}
without_models() { printf 'roles: [recommend]\nmodels: {enabled: false}\n'; }

# What a shop sends: sessions that click four times a second and are over after a minute at the latest.
shop=("$EDDY_BINARY" generate --items "$([ -z "$models" ] && echo 500 || echo 3000)" --sessions 60 --rate "$pace")

prepare() {
  kafka start --brokers 3 >/dev/null || fail "three brokers do not start"
  bootstrap=$(kafka bootstrap)
  "${shop[@]}" --clicks 30000 --seed 2 --output "$folder/past.tsv" --items-output "$folder/items.tsv" 2>/dev/null
  "$EDDY_BINARY" replay --set session.gap_ms=3s --items "$folder/items.tsv" --into-state "$folder/learned.state" \
    "$folder/past.tsv" >/dev/null 2>&1 || fail "there is no snapshot"
  { common hurt && echo "delivery: exactly_once" && if [ -n "$models" ]; then training; else without_models; fi; } \
    >"$folder/hurt.yaml"
  { common calm && echo "delivery: at_least_once" && without_models; } >"$folder/calm.yaml"
  for run in hurt calm; do
    "$EDDY_BINARY" topics create --config "$folder/$run.yaml" >"$folder/topics.log" 2>&1 ||
      fail "no topics are made: $(cat "$folder/topics.log")"
  done
  [ -z "$models" ] || for topic in models recommendations; do
    kafka dated "hurt.$topic" || fail "hurt.$topic is not dated"
  done
}

# ---- the clicks

now_ms() {
  local us=${EPOCHREALTIME/[.,]/}
  printf '%s\n' "${us%???}"
}

produce() { kcat -b "$bootstrap" -P -t hurt.clicks -K '\t' -Z -X enable.idempotence=true "$@"; }

# Twice a second what no shop should send: a record that is none, one without a value, a click that is late, and one
# that comes twice.
odd_clicks() {
  local i now
  for ((i = 0; ; i++)); do
    now=$(now_ms)
    printf 'odd-%d\tno click\nodd-%d\t\n' "$i" "$i"
    printf 'late-%d\t{"session_id":"late-%d","item_id":"i1","timestamp":%d}\n' "$i" "$i" $((now - 600000))
    printf "twice-%d\\t{\"session_id\":\"twice-%d\",\"item_id\":\"i2\",\"timestamp\":$now,\"event_id\":\"e\"}\\n" \
      "$i" "$i" "$i" "$i"
    sleep 0.5
  done
}

# A producer may not survive what is done to brokers; then another shop opens.
shops=0
open_shop() {
  shops=$((shops + 1))
  "${shop[@]}" --kafka --config "$folder/hurt.yaml" --seed $((seed + shops)) --clicks 100000000 --pace "$pace" \
    2>>"$folder/generate.log" &
  generator=$!
}

start_clicks() {
  open_shop
  odd_clicks > >(produce 2>"$folder/odd.log") &
  odd=$!
}

stop_clicks() {
  kill "$odd" "$generator" 2>/dev/null || true
  wait "$odd" "$generator" 2>/dev/null || true
  generator='' odd=''
  sleep 2
  local p now
  for ((p = 0; p < partitions; p++)); do # the last click of each partition
    now=$(now_ms)
    printf 'end-%d\t{"session_id":"end-%d","item_id":"i3","timestamp":%d}\n' "$p" "$p" "$now" |
      produce -p "$p" 2>>"$folder/odd.log"
  done
}

# drained RUN: the last click of each partition has its answer.
drained() {
  [ "$(kcat -b "$bootstrap" -C -t "$1.recommendations" -e -q -f '%k\n' 2>/dev/null |
    grep '^end-' | sort -u | wc -l)" = "$partitions" ]
}

wait_drained() { # RUN SECONDS
  local end=$((SECONDS + $2))
  until drained "$1"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    mend
    sleep 2
  done
}

# ---- the eddies, and who is hurt until when

state=() until_ms=() ended=0 broken=0
broker=0 broker_until_ms=0 broker_how=''

launch() { # NUMBER
  : >>"$folder/eddy-$1.log"
  said_before[$1]=$(stat -c %s "$folder/eddy-$1.log")
  "$EDDY_BINARY" run --config "$folder/hurt.yaml" --set "state.directory=$folder/state-$1" "${sets[@]}" \
    >/dev/null 2>>"$folder/eddy-$1.log" &
  pids[$1]=$!
}

start_eddy() { # NUMBER
  launch "$1"
  state[$1]=up
}

# A file system of its own, that can be full.
make_room() { # NUMBER
  mkdir "$folder/state-$1"
  wanted full || return 0
  mount -t tmpfs -o size=24m "eddy-chaos-$1" "$folder/state-$1" || fail "no file system can be mounted"
  mounts+=("$folder/state-$1")
}

relieve() { # NUMBER
  case ${state[$1]} in
  full) rm -f "$folder/state-$1/filler" ;;
  squeezed)
    prlimit --pid "${pids[$1]}" --as=unlimited: 2>/dev/null || {
      ! kill -0 "${pids[$1]}" 2>/dev/null || fail "eddy $1 cannot be given its memory back"
      return 0 # it has just ended, while it was squeezed: mend sees to that
    }
    ;;
  esac
  state[$1]=up
  relieved_ms[$1]=$(now_ms)
}

kill_eddy() { # NUMBER
  kill -9 "${pids[$1]}" 2>/dev/null || true
  wait "${pids[$1]}" 2>/dev/null || true
}

stop_eddy() { # NUMBER
  local code=0
  kill -TERM "${pids[$1]}" 2>/dev/null || true
  wait "${pids[$1]}" || code=$?
  [ "$code" = 0 ] || note_end "$1" "$code"
  pids[$1]='' state[$1]=off
}

# librdkafka's last words when it gets no memory, or no thread
starved='(^|[ /])rd\.h:[0-9]+: rd_[a-z]+:|rdkafka_broker\.c:.*failed to create broker thread'

# what an eddy says that ends for want of room or memory
want='[Nn]o space left|disk.* full|no address space|Cannot allocate memory|no memory'

# ends_late NUMBER LAST: it met with want before it was relieved, and has been ending since: that takes a drain, leaving
# the group, and saving what is learned.
ends_late() {
  [[ $2 =~ $want || $2 =~ $starved ]] && [ $(($(now_ms) - ${relieved_ms[$1]:-0})) -lt $((ending * 1000)) ]
}

# fitting NUMBER CODE LAST: whether it may have ended so, whose last words these are.
fitting() {
  case ${state[$1]}$2 in
  up4 | up7) ;;
  up1) ends_late "$1" "$3" ;;
  up143) [ "$(stat -c %s "$folder/eddy-$1.log")" = "${said_before[$1]}" ] ;; # main() had not begun, or it had drained
  squeezed134) [[ $3 =~ $starved ]] ;;
  up134) [[ $3 =~ $starved ]] && ends_late "$1" "$3" ;;
  up* | full[2356] | squeezed[2356]) false ;;
  *) [ "$2" -lt 126 ] ;; # not by a signal, and there is such a program
  esac
}

note_end() { # NUMBER CODE
  local last fits=
  last=$(tail -n 1 "$folder/eddy-$1.log")
  ended=$((ended + 1))
  fitting "$1" "$2" "$last" || fits=", ${state[$1]}, which it should not have" broken=$((broken + 1))
  say "eddy $1 ended with $2$fits: $last"
}

# Ends what is due, and starts again who ended by himself, as a service would.
mend() {
  local i now code
  now=$(now_ms)
  for ((i = 1; i <= eddies; i++)); do
    case ${state[i]} in
    up | full | squeezed)
      if ! kill -0 "${pids[i]}" 2>/dev/null; then
        code=0
        wait "${pids[i]}" || code=$?
        note_end "$i" "$code"
        [ "${state[i]}" != full ] || sleep 1 # as a service waits
        launch "$i"
        [ "${state[i]}" != squeezed ] || state[i]=up
      fi
      [ "${state[i]}" = up ] || [ "$now" -lt "${until_ms[i]}" ] || relieve "$i"
      ;;
    down) [ "$now" -lt "${until_ms[i]}" ] || start_eddy "$i" ;;
    stopped)
      [ "$now" -lt "${until_ms[i]}" ] || {
        kill -CONT "${pids[i]}"
        state[i]=up
      }
      ;;
    esac
  done
  if [ -n "$generator" ] && ! kill -0 "$generator" 2>/dev/null; then
    say "the shop ended: $(tail -n 1 "$folder/generate.log")"
    open_shop
  fi
  if [ "$broker" != 0 ] && [ "$now" -ge "$broker_until_ms" ]; then
    kafka "$broker_how" "$broker" || fail "broker $broker does not come back"
    broker=0
  fi
}

all_well() {
  local i
  [ "$broker" = 0 ] || return 1
  for ((i = 1; i <= eddies; i++)); do [ "${state[i]}" = up ] || return 1; done
}

# who_trains: the eddy that was told so last, if it lives
who_trains() {
  local who
  who=$(for ((i = 1; i <= eddies; i++)); do
    sed -n "s/^time=\([^ ]*\) .*event=trainer .*/\1 $i/p" "$folder/eddy-$i.log" | tail -n 1
  done | sort | tail -n 1 | cut -d ' ' -f 2)
  [ -n "$who" ] && printf '%s\n' "$who"
}

# A person goes back; that may find no version, or be fenced, or brokers away, or take too long while they are.
go_back() {
  local code=0
  timeout 15 "$EDDY_BINARY" model rollback --config "$folder/hurt.yaml" >>"$folder/rollback.log" 2>&1 || code=$?
  case $code in 0 | 1 | 4 | 7 | 124) ;; *)
    fail "a rollback ends with $code: $(tail -n 1 "$folder/rollback.log")"
    ;;
  esac
}

# hurt KIND WHOM MS: fails when that is not possible now; MS is how long a broker is away.
hurt() {
  local now size_kib who=$2
  now=$(now_ms)
  [ "$1" != trainer ] || who=$(who_trains) || return 1
  case $1 in
  rollback) ;;
  broker | freeze) [ "$broker" = 0 ] || return 1 ;;
  *) [ "${state[who]}" = up ] || return 1 ;;
  esac
  case $1 in
  kill)
    kill_eddy "$who"
    start_eddy "$who"
    ;;
  rollback) go_back ;;
  away | wipe | trainer)
    kill_eddy "$who"
    state[who]=down
    until_ms[who]=$((now + beyond * 1000))
    [ "$1" != wipe ] || { find "$folder/state-$who" -mindepth 1 -delete && until_ms[who]=$now; }
    ;;
  term)
    stop_eddy "$who"
    start_eddy "$who"
    ;;
  zombie)
    kill -STOP "${pids[who]}"
    state[who]=stopped
    until_ms[who]=$((now + beyond * 1000))
    ;;
  full)
    dd if=/dev/zero of="$folder/state-$who/filler" bs=4096 2>/dev/null || true
    state[who]=full
    until_ms[who]=$((now + beyond * 1000))
    ;;
  squeeze)
    size_kib=$(ps -o vsz= -p "${pids[who]}") || return 1 # it has just ended
    prlimit --pid "${pids[who]}" --as="$((size_kib * 1024)):" 2>/dev/null || true
    state[who]=squeezed
    until_ms[who]=$((now + beyond * 1000))
    ;;
  broker)
    kafka kill "$who"
    broker=$who broker_how=restart broker_until_ms=$((now + $3))
    ;;
  freeze)
    kafka pause "$who"
    broker=$who broker_how=resume broker_until_ms=$((now + beyond * 1000))
    ;;
  esac
}

declare -A counts
hurt_them() {
  local done_count=0 kind whom end away_ms
  for kind in "${kinds[@]}"; do counts[$kind]=0; done
  while [ "$done_count" -lt "$kills" ]; do
    kind=${all_kinds[RANDOM % ${#all_kinds[@]}]} whom=$((1 + RANDOM % 3))
    end=$(($(now_ms) + 2000 + RANDOM % 5000)) away_ms=$((2000 + RANDOM % 6000))
    if wanted "$kind" && hurt "$kind" "$whom" "$away_ms"; then
      counts[$kind]=$((counts[$kind] + 1)) done_count=$((done_count + 1))
      say "$done_count $kind $whom"
    else
      end=0
    fi
    while
      mend
      [ "$(now_ms)" -lt "$end" ]
    do sleep 0.1; done
  done
  until all_well; do
    mend
    sleep 0.1
  done
}

# ---- the verdict

dump() { # TOPIC FILE
  kcat -b "$bootstrap" -C -t "$1" -e -q -X isolation.level=read_committed -X check.crcs=true \
    -f '%p %o %T %K %S %h\n%k%s\n' >"$folder/$2" || fail "topic $1 cannot be read"
}

# loaded EDDY: the version that it says it has taken into use last
loaded() { sed -n 's/.*event=model_loaded version=\([^ ]*\) .*/\1/p' "$folder/eddy-$1.log" | tail -n 1; }

# However slow the machine is, clicks go on until there are versions to be looked at: more than chaos_check asks for.
wait_versions() {
  local end=$((SECONDS + 300))
  until [ "$(sed -n 's/.*event=model_loaded version=\([^ ]*\) .*/\1/p' "$folder"/eddy-[1-9].log |
    sort -u | wc -l)" -ge 4 ]; do
    [ "$SECONDS" -lt "$end" ] || fail "there are not four versions that were loaded after five minutes more"
    mend
    sleep 0.5
  done
  sleep 2
}

# agreed: all eddies have the version in use; what each has is in the file `loaded`.
agreed() {
  local i
  {
    printf 'topic %s\n' \
      "$("$EDDY_BINARY" model show --config "$folder/hurt.yaml" 2>/dev/null | sed -n 's/^version *\([^ ]*\).*/\1/p')"
    for ((i = 1; i <= eddies; i++)); do printf 'eddy-%s %s\n' "$i" "$(loaded "$i")"; done
  } >"$folder/loaded"
  [ "$(cut -d ' ' -f 2 "$folder/loaded" | sort -u | wc -l)" = 1 ]
}

wait_agreed() {
  local end=$((SECONDS + 120))
  until agreed || [ "$SECONDS" -ge "$end" ]; do
    mend
    sleep 1
  done
}

calm_run() {
  "$EDDY_BINARY" run --config "$folder/calm.yaml" >/dev/null 2>"$folder/eddy-0.log" &
  pids[0]=$! state[0]=up
  wait_drained calm 600 || fail "the calm run does not get to the end"
  stop_eddy 0
}

started=$SECONDS
echo "seed $seed, $kills kills, $partitions partitions${models:+, with models}, in $folder"
prepare
for ((i = 1; i <= eddies; i++)); do make_room "$i" && start_eddy "$i"; done
start_clicks
sleep 5
say "begin"
hurt_them
[ -z "$models" ] || wait_versions
stop_clicks
say "drain"
wait_drained hurt 180 || say "not all is answered after three minutes"
[ -z "$models" ] || wait_agreed
for ((i = 1; i <= eddies; i++)); do stop_eddy "$i"; done
say "calm run"
calm_run
dump hurt.clicks clicks
for run in hurt calm; do
  for topic in recommendations sessions late_clicks dead_letters; do dump "$run.$topic" "$run.$topic"; done
done
[ -z "$models" ] || dump hurt.models hurt.models
echo
printf 'hurt:'
for kind in "${kinds[@]}"; do printf ' %s %s' "$kind" "${counts[$kind]}"; done
printf '; ended by themselves: %s\n' "$ended"
code=0
"$CHAOS_CHECK" "$folder" "$folder"/state-[1-9] || code=$?
printf 'took %d s\n' $((SECONDS - started))
[ "$code" = 0 ] || fail "chaos_check ends with $code"
[ "$broken" = 0 ] || fail "$broken times an eddy ended that should not have"
[ -n "$keep" ] || {
  finish
  rm -rf "$folder"
}
echo "all well"
