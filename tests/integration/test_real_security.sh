#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# eddy on a real Apache Kafka that lets in nobody unknown: passwords (SASL_SSL with SCRAM), certificates (mutual TLS),
# ACLs. What is refused is said with the option to look at, and a password stands in no output. Starts a broker of its
# own; needs what "./dev kafka" needs, and EDDY_KAFKA as the other tests on a real one.
# shellcheck source=tests/support/real.sh
. "$(dirname "$0")/../support/real.sh"
command -v java >/dev/null && command -v openssl >/dev/null || exit 77

own_broker=
finish_all() {
  finish
  [ -z "$own_broker" ] || tools/kafka stop --secure || true
}
trap finish_all EXIT

tools/kafka bootstrap --secure >/dev/null 2>&1 || own_broker=1
tools/kafka start --secure >"$folder/started" || fail "no secure Kafka"
passwords=$(sed -n 's/^bootstrap=//p' "$folder/started")
certificates=$(sed -n 's/^mutual_tls=//p' "$folder/started")
secrets=$(sed -n 's/^secrets=//p' "$folder/started")
password=$(cat "$secrets/eddy.password")
run_id=$$-$(date +%s)

cat >"$folder/password.yaml" <<YAML
kafka:
  bootstrap.servers: $passwords
  security.protocol: sasl_ssl
  sasl.mechanisms: SCRAM-SHA-512
  sasl.username: eddy
  sasl.password: file:$secrets/eddy.password
  ssl.ca.location: $secrets/ca.pem
YAML
# shellcheck disable=SC2016 # eddy expands it
sed 's|file:.*|${THE_PASSWORD}|' "$folder/password.yaml" >"$folder/variable.yaml"
cat >"$folder/certificate.yaml" <<YAML
kafka:
  bootstrap.servers: $certificates
  security.protocol: ssl
  ssl.ca.location: $secrets/ca.pem
  ssl.certificate.location: $secrets/client.pem
  ssl.key.location: $secrets/client.key
YAML

# settings NAME HOW: how eddy is configured, one argument a line.
settings() {
  printf '%s\n' --config "$folder/$2.yaml"
  printf -- '--set\n%s\n' "topics.prefix=$run_id.$1." topics.partitions=2 "group_id=$run_id.$1" http.listen= \
    "state.directory=$folder/state-$1" formats.recommendations=json static_membership=false
}

count() { # TOPIC
  kcat -F "$secrets/kcat.conf" -b "$passwords" -C -t "$1" -e -q -f 'x\n' 2>/dev/null | wc -l
}

start_eddy() { # NAME HOW [OPTION...]
  local arguments
  mapfile -t arguments < <(settings "$1" "$2")
  "$EDDY_BINARY" run "${arguments[@]}" "${@:3}" >>"$folder/$1.log" 2>&1 &
  eddy_pid=$!
}

prepare() { # NAME HOW
  local arguments
  mapfile -t arguments < <(settings "$1" "$2")
  "$EDDY_BINARY" topics create "${arguments[@]}" >"$folder/$1.log" 2>&1 || fail "no topics are made"
  "$EDDY_BINARY" generate --kafka --clicks 300 --items 50 --sessions 20 "${arguments[@]}" >>"$folder/$1.log" 2>&1 ||
    fail "no clicks are produced"
}

# ---- clicks are answered at least once with a password, and exactly once with a certificate
serve() { # NAME HOW [OPTION...]
  prepare "$1" "$2"
  start_eddy "$@"
  for _ in $(seq 1 300); do
    [ "$(count "$run_id.$1.recommendations")" -lt 290 ] || break
    kill -0 "$eddy_pid" 2>/dev/null || fail "eddy ended by itself"
    sleep 0.1
  done
  [ "$(count "$run_id.$1.recommendations")" -ge 290 ] || fail "$1: clicks are not answered"
  ! tr '\0' '\n' <"/proc/$eddy_pid/cmdline" | grep -qF "$password" || fail "the password is an argument"
  stop_eddy
}
serve file password --set kafka.debug=security,broker,conf,protocol --set log.level=debug
export THE_PASSWORD="$password"
serve variable variable --set delivery=exactly_once
unset THE_PASSWORD
serve certificate certificate --set delivery=exactly_once

# ---- what was written back is read back, through the same doors
for how in password certificate; do
  mapfile -t arguments < <(settings file "$how")
  "$EDDY_BINARY" replay --topic "$run_id.file.clicks" "${arguments[@]}" >"$folder/replay.log" 2>&1 ||
    fail "$how: clicks cannot be replayed"
  "$EDDY_BINARY" dead-letters list "${arguments[@]}" >"$folder/letters.log" 2>&1 || fail "$how: no dead letters"
done

# ---- each refusal ends a command with exit code 4 and names what to look at
refused() { # TEXT OPTION HOW [ARGUMENT...]
  local code=0 arguments
  mapfile -t arguments < <(settings file "$3")
  timeout 30 "$EDDY_BINARY" topics check "${arguments[@]}" "${@:4}" >"$folder/refused.log" 2>&1 || code=$?
  cat "$folder/refused.log" >>"$folder/refusals.log"
  [ "$code" = 4 ] || fail "$1: exit code $code"
  grep -q "$1.*check.*$2" "$folder/refused.log" || fail "it does not say '$1', nor name $2"
}
refused 'Authentication failed' kafka.sasl.password password --set "kafka.sasl.password=file:$secrets/admin.password"
refused 'certificate verify failed' kafka.ssl.ca.location password --set "kafka.ssl.ca.location=$secrets/other-ca.pem"
refused 'certificate verify failed' kafka.bootstrap.servers password \
  --set "kafka.bootstrap.servers=127.0.0.1:${passwords##*:}"
refused 'Disconnected' kafka.security.protocol password --set kafka.security.protocol=sasl_plaintext
refused 'Unsupported SASL mechanism' kafka.sasl.mechanisms password --set kafka.sasl.mechanisms=PLAIN
sed '/certificate\|key/d' "$folder/certificate.yaml" >"$folder/anonymous.yaml"
refused 'certificate' kafka.ssl.certificate.location anonymous

# ---- and eddy run waits until the password is right
cp "$secrets/admin.password" "$folder/changed.password"
start_eddy file password --set "kafka.sasl.password=file:$folder/changed.password"
for _ in $(seq 1 150); do
  ! grep -q '"event":"broker_lost".*check kafka.sasl.username and kafka.sasl.password' "$folder/file.log" || break
  sleep 0.1
done
kill -0 "$eddy_pid" || fail "eddy does not wait for a broker that refuses it"
grep -q '"event":"broker_lost".*check kafka.sasl.username and kafka.sasl.password' "$folder/file.log" ||
  fail "the log does not name what to look at"
stop_eddy

# ---- a user who must not write the recommendations
prepare limited password
tools/kafka acl --secure --add --allow-principal User:limited --operation Describe \
  --topic "$run_id.limited.recommendations" >"$folder/acl.log" 2>&1 || fail "no ACL is made"
start_eddy limited password --set kafka.sasl.username=limited \
  --set "kafka.sasl.password=file:$secrets/limited.password"
code=0
wait "$eddy_pid" || code=$?
eddy_pid=
[ "$code" = 1 ] || fail "eddy without the right to write ends with $code"
grep -q "topic $run_id.limited.recommendations: .*[Aa]uthorization failed" "$folder/limited.log" ||
  fail "it does not say which right it lacks"

# ---- the password stands nowhere
mapfile -t arguments < <(settings file password)
"$EDDY_BINARY" config dump "${arguments[@]}" >"$folder/dump.log" 2>&1 || fail "no dump"
grep -q 'sasl.password: .*\*\*\*' "$folder/dump.log" || fail "the dump does not hide the password"
grep -q 'sasl.password' "$folder/file.log" || fail "librdkafka was to be asked for all it says"
for user in eddy admin limited; do
  ! grep -lF "$(cat "$secrets/$user.password")" "$folder"/*.log "$folder"/*.yaml || fail "a password is in a log"
done
[ -z "$(find "$folder" -path '*state-*' -type f -exec grep -lF "$password" {} +)" ] || fail "a password is in the state"
echo "all well"
