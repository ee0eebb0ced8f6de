#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The command model against the broker of an `eddy run --embedded`, which follows what is published.
# shellcheck source=tests/support/commands.sh
. "$(dirname "$0")/../support/commands.sh"
command -v kcat >/dev/null || exit 77
broker=
finish() {
  [ -z "$broker" ] || kill -9 "$broker" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT

# ---- what has no sense
expect 2 "say 'list', 'show'" model
expect 2 "say 'list', 'show'" model lists
expect 2 "publish: name the file" model publish
expect 2 "say by --output" model fetch
expect 2 "--output is for 'fetch'" model list --output x
expect 2 "--note is for 'publish'" model pin --note x
expect 2 "a version is its number" model pin three
expect 2 "a version is its number" model rollback 0
expect 2 "more words" model list 1
expect 3 "kafka.bootstrap.servers" model list
expect 3 "is no name of a model" model list --set models.name=a/b --set kafka.bootstrap.servers=127.0.0.1:1
expect 4 "127.0.0.1:1" model list --set kafka.bootstrap.servers=127.0.0.1:1

# ---- two models of one shop
awk 'BEGIN {
  print "session_id\ttimestamp_ms\titem_id"
  for (s = 0; s < 40; s++)
    for (i = 0; i < 4; i++) printf "s%d\t170000%07d\ti%d\n", s, s * 100000 + i * 1000, (s + i) % 9
}' >clicks.tsv
run 0 train clicks.tsv --output one.model --set model.width=8 --set train.epochs=1
run 0 train clicks.tsv --output two.model --set model.width=12 --set train.epochs=1

true >broker.out # what is started may be slower than who reads it
"$EDDY_BINARY" run --embedded --set http.listen= --set state.directory=unused --set log.format=logfmt \
  >broker.out 2>broker.log &
broker=$!
for _ in $(seq 1 100); do
  bootstrap=$(sed -n 's/^bootstrap=//p' broker.out)
  [ -z "$bootstrap" ] || break
  sleep 0.1
done
[ -n "$bootstrap" ] || fail "no address is printed"
at="--set kafka.bootstrap.servers=$bootstrap"

# in_use VERSION: the process that runs has it at work
in_use() {
  for _ in $(seq 1 100); do
    ! grep 'event=model_loaded' broker.log | tail -n 1 | grep -q "version=$1-" || return 0
    sleep 0.1
  done
  fail "version $1 is not taken into use: $(tail -n 5 broker.log)"
}

# shellcheck disable=SC2086 # two words
model() { # CODE TEXT ARGUMENT...
  local code=$1 text=$2
  shift 2
  run "$code" model "$@" $at
  [ -z "$text" ] || grep -qF -- "$text" errors || fail "eddy model $*: does not say '$text' but: $(cat errors)"
}

model 1 "there is no model 'default' in topic models yet" show
model 1 "there is no model" pin
model 1 "no version before the current one" rollback
model 1 "there is no topic nowhere" list --set topics.models=nowhere
model 3 "eddy topics create" publish one.model --set topics.models=nowhere
model 1 "nothing.model" publish nothing.model
model 0 "" publish one.model --note 'the first one'
grep -qx '1-[0-9a-f]\{16\} is published and current' out || fail "publish says: $(cat out)"
in_use 1
model 0 "" publish two.model --set models.payload=float32 --json
grep -q '"version":2,.*"encoding":"float32"' out || fail "publish --json says: $(cat out)"
in_use 2

# ---- told for people and for programs
model 0 "" list
[ "$(awk 'NR > 1 {print $1}' out | cut -d - -f 1 | tr '\n' ' ')" = "2 1 " ] || fail "list shows: $(cat out)"
grep -q '^1-.* kept .*float16 .*the first one$' out || fail "list shows: $(cat out)"
model 0 "" list --json
[ "$(wc -l <out)" = 2 ] || fail "list --json shows: $(cat out)"
model 0 "" show 1
grep -q '^model *pw_core, width 8' out || fail "show shows: $(cat out)"
model 1 "no version 7" show 7

# ---- back, and held
model 0 "" rollback
in_use 1
model 1 "no version before the current one" rollback
model 0 "" pin 2
in_use 2
model 0 "version 2 is pinned and stays in use" rollback 1
model 0 "" publish one.model
grep -q '^3-' out || fail "publish says: $(cat out)"
sleep 0.5
in_use 2
model 0 "" unpin
in_use 3
model 1 "no version 9" rollback 9

# ---- a version in a file is the model that was published
model 0 "version 2," fetch 2 --output fetched.model
cmp two.model fetched.model || fail "what is fetched is not what was published"
model 0 "" list --json
[ "$(sha256sum <fetched.model | cut -c 1-16)" = "$(sed -n 's/.*"model_version":"2-\([0-9a-f]*\)".*/\1/p' out)" ] ||
  fail "the version has another hash than the file"
model 0 "" fetch --output half.model
[ "$(stat -c %s half.model)" -lt "$(stat -c %s one.model)" ] || fail "halves are not smaller than floats"

# ---- an answer names it
printf 'v\t{"session_id":"v","item_id":"i1","timestamp":"%s"}\n' "$(date -u +%FT%TZ)" |
  kcat -b "$bootstrap" -P -t clicks -K '\t'
for _ in $(seq 1 60); do
  kcat -b "$bootstrap" -C -t recommendations -o -100 -e -q >lists 2>/dev/null || true
  [ ! -s lists ] || break
  sleep 0.5
done
grep -q '"model_version":"3-[0-9a-f]\{16\}"' lists || fail "the answer does not name the model: $(cat lists)"

kill -TERM "$broker"
code=0
wait "$broker" || code=$?
broker=
[ "$code" = 0 ] || fail "eddy ends with $code"
echo "all well"
