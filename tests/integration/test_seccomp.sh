#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# eddy works under the filter of system calls of deploy/eddy.service. There is no systemd to set it here, so strace
# refuses what the filter refuses, with the same EPERM; a call that is refused is a failure, even if eddy gets over it.
set -euo pipefail
command -v strace >/dev/null && command -v systemd-analyze >/dev/null && command -v kcat >/dev/null || exit 77
folder=$(mktemp -d)
broker=
traced=
trap '[ -z "$traced$broker" ] || kill -9 $traced $broker 2>/dev/null; wait; rm -rf "$folder"' EXIT
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  tail -n 20 "$folder"/*.log >&2 || true
  exit 1
}
export ASAN_OPTIONS=detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS} # which traces too, and two cannot

# refused: the calls that the unit's filter lets not through, as strace takes them. A line of SystemCallFilter adds what
# it names, or with ~ takes it away.
refused() {
  {
    systemd-analyze syscall-filter 2>/dev/null
    sed -n 's/^SystemCallFilter=/filter /p' deploy/eddy.service
  } | awk '
    function mark(name, value,   i, n, parts) {
      if (name !~ /^@/) {
        state[name] = value
        return
      }
      n = split(members[name], parts, " ")
      for (i = 1; i <= n; i++) mark(parts[i], value)
    }
    /^@/ {set = $1}
    /^ +[^ #]/ {members[set] = members[set] " " $1}
    /^filter / {filters[++count] = substr($0, 8)}
    END {
      mark("@known", "refused")
      for (f = 1; f <= count; f++) {
        value = filters[f] ~ /^~/ ? "refused" : "allowed"
        sub(/^~/, "", filters[f])
        n = split(filters[f], names, " ")
        for (i = 1; i <= n; i++) mark(names[i], value)
      }
      for (call in state) if (state[call] == "refused") printf "%s?%s", (written++ ? "," : ""), call
    }'
}
calls=$(refused)
case ",$calls," in
*,\?read,* | *,\?mmap,*) fail "the filter is not read as systemd reads it" ;;
*,\?mount,*) ;;
*) fail "the filter refuses nothing" ;;
esac
filtered=(strace -f --seccomp-bpf -qq -e "trace=$calls" -e signal=none -e "inject=$calls:error=EPERM" -o)
"${filtered[@]}" "$folder/probe.trace" true 2>"$folder/probe.log" || exit 77 # not permitted in every container
"${filtered[@]}" "$folder/chrt.trace" chrt -b 0 true 2>/dev/null || true
grep -q EPERM "$folder/chrt.trace" || fail "a call that the filter refuses gets through"

"$EDDY_BINARY" run --embedded --set http.listen= >"$folder/broker.out" 2>"$folder/broker.log" &
broker=$!
for _ in $(seq 1 600); do
  ! grep -q '"event":"ready"' "$folder/broker.log" || break
  sleep 0.1
done
bootstrap=$(sed -n 's/^bootstrap=//p' "$folder/broker.out")
[ -n "$bootstrap" ] || fail "no broker"
options=(--set "kafka.bootstrap.servers=$bootstrap" --set formats.clicks=json --set formats.recommendations=json
  --set formats.items=json --set formats.sessions=json)
"$EDDY_BINARY" generate --kafka --clicks 500 --items 50 --sessions 20 "${options[@]}" 2>"$folder/generate.log" ||
  fail "no clicks"

# ---- as the unit does: config check, then run, with sessions on a disk and the HTTP port; then SIGTERM
options+=(--set "state.directory=$folder/state" --set http.listen=127.0.0.1:0 --set group_id=filtered
  --set static_membership=false)
"${filtered[@]}" "$folder/check.trace" "$EDDY_BINARY" config check "${options[@]}" >"$folder/check.log" 2>&1 ||
  fail "config check does not work under the filter"
"${filtered[@]}" "$folder/run.trace" "$EDDY_BINARY" run "${options[@]}" >"$folder/run.out" 2>"$folder/run.log" &
traced=$!
for _ in $(seq 1 600); do
  ! grep -q '"event":"ready"' "$folder/run.log" || break
  kill -0 "$traced" 2>/dev/null || fail "eddy does not run under the filter"
  sleep 0.1
done
grep -q '"event":"ready"' "$folder/run.log" || fail "eddy does not get ready under the filter"
for _ in $(seq 1 300); do
  answers=$(kcat -b "$bootstrap" -C -t recommendations -e -q -o beginning -f 'x\n' 2>/dev/null | wc -l)
  [ "$answers" -lt 900 ] || break # each of the two answers them
  sleep 0.1
done
[ "$answers" -ge 900 ] || fail "$answers answers"
child=$(tr -d " " <"/proc/$traced/task/$traced/children")
kill -TERM "$child"
code=0
wait "$traced" || code=$?
traced=
[ "$code" = 0 ] || fail "a drained eddy ends with $code under the filter"
[ -n "$(ls "$folder/state")" ] || fail "no state was written"
! grep -h EPERM "$folder/check.trace" "$folder/run.trace" || fail "eddy makes calls that the filter refuses"
