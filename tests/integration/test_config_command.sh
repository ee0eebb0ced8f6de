#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# eddy config as a user types it: what goes where, and with which exit code.
set -u
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
wrong=0

# run WANTED_CODE ARGUMENT...: standard output in $out, standard error in $err.
run() {
    wanted=$1
    shift
    "$EDDY_BINARY" config "$@" >"$folder/out" 2>"$folder/err"
    code=$?
    out=$(cat "$folder/out")
    err=$(cat "$folder/err")
    [ "$code" = "$wanted" ] || fail "config $* gave $code, wanted $wanted: $err"
}
fail() {
    echo "$1"
    wrong=$((wrong + 1))
}
has() { # TEXT PART
    case "$1" in *"$2"*) ;; *) fail "wanted '$2' in: $1" ;; esac
}

for form in dump --dump; do
    run 0 $form --set session.gap_ms=20min
    has "$out" 'session.gap_ms: 20min  # --set'
    [ -z "$err" ] || fail "a dump wrote on standard error: $err"
done
for form in docs --docs; do
    run 0 $form
    [ "$out" = "$(cat docs/CONFIGURATION.md)" ] || fail "config $form is not docs/CONFIGURATION.md"
done
run 0 docs --metrics
has "$out" '# Metrics'
for form in check --check; do
    run 0 $form --config config/eddy.yaml
    [ -z "$out" ] || fail "a check wrote on standard output: $out"
done

"$EDDY_BINARY" version >/dev/full 2>"$folder/err" && fail "any command succeeds though its output was lost"
has "$(cat "$folder/err")" 'standard output cannot be written'

run 3 check --config "$folder/none.yaml"
has "$err" "$folder/none.yaml"
printf 'session:\n  gap: 5\n' >"$folder/bad.yaml"
run 3 check --config "$folder/bad.yaml"
has "$err" "$folder/bad.yaml:2: unknown key 'session.gap'; did you mean 'session.gap_ms'?"
run 3 dump --set kafka.bootstrap.server=a
has "$err" 'kafka.bootstrap.server'
[ -z "$out" ] || fail "a wrong configuration was dumped"

run 2 check --config config/eddy.yaml --config config/eddy.yaml
run 2
run 2 dump docs
run 2 dmp
has "$err" "did you mean 'dump'?"
run 2 dump --metrics
run 2 --dmup
run 0 --help
has "$out" '--set KEY=VALUE'

printf 'kafka:\n  sasl.password: hunter2\n' >"$folder/secret.yaml"
run 3 dump --config "$folder/secret.yaml"
has "$err" "$folder/secret.yaml:2: kafka.sasl.password"
case "$out$err" in *hunter2*) fail 'a secret was printed' ;; esac
EDDY_KAFKA_SASL_PASSWORD=hunter2
export EDDY_KAFKA_SASL_PASSWORD
run 0 dump
has "$out" 'kafka.sasl.password: "***"  # environment'
case "$out$err" in *hunter2*) fail 'a secret was printed' ;; esac
unset EDDY_KAFKA_SASL_PASSWORD
EDDY_SESSION_GAPS_MS=1
export EDDY_SESSION_GAPS_MS
run 3 check
has "$err" 'did you mean EDDY_SESSION_GAP_MS?'

[ "$wrong" = 0 ]
