#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The files of deploy/ are sound, as far as that can be seen without a container engine or a running systemd.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# ---- eddy.service: systemd accepts every line, and would give the service little to do harm with
unit_check() {
  systemd-analyze verify "$1" 2>&1 | grep . && return 1
  systemd-analyze security --offline=true --no-pager --threshold=20 "$1" >/dev/null
}
if command -v systemd-analyze >/dev/null; then
  sed 's|/usr/bin/eddy|/bin/true|' deploy/eddy.service >"$folder/eddy.service"
  unit_check "$folder/eddy.service" || fail "systemd does not like deploy/eddy.service"
  sed 's|^NoNewPrivileges=|NoNewPrivilege=|' "$folder/eddy.service" >"$folder/wrong.service"
  if unit_check "$folder/wrong.service" >/dev/null 2>&1; then
    fail "systemd-analyze takes a unit with a mistyped line for sound"
  fi
fi

# ---- and it is started again after what may pass: a broker or an address that is not there, a lock
for code in 1 4 7; do
  ! grep -q "^RestartPreventExitStatus=.*\<$code\>" deploy/eddy.service ||
    fail "the service stays down after exit code $code"
done

# ---- Dockerfile: pinned bases, not root at the end, nothing left by apt, files that exist
dockerfile_check() {
  awk '
    /^FROM/ {stages++; user = ""; if ($2 !~ /:/ || $2 ~ /:latest$/) {print "base without a version: " $0; bad = 1}}
    /^USER/ {user = $2}
    /apt-get install/ && !/--no-install-recommends/ {print "installs recommended packages: " $0; bad = 1}
    /apt-get install/ {installs = stages}
    /rm -rf \/var\/lib\/apt\/lists/ {cleans = stages}
    END {
      if (user == "" || user == "root" || user == "0") {print "runs as root"; bad = 1}
      if (installs == stages && cleans != stages) {print "leaves the lists of apt in the image"; bad = 1}
      exit bad
    }' "$1"
}
dockerfile_check deploy/Dockerfile || fail "deploy/Dockerfile is not sound"
sed '/^USER/d' deploy/Dockerfile >"$folder/Dockerfile"
if dockerfile_check "$folder/Dockerfile" >/dev/null; then fail "a Dockerfile without USER is taken for sound"; fi
while read -r source; do
  [ -e "$source" ] || fail "deploy/Dockerfile copies $source, which does not exist"
done < <(awk '/^COPY/ && !/--from/ {for (i = 2; i < NF; i++) print $i}' deploy/Dockerfile)

# The image has every library that the binary asks for. (/lib is /usr/lib, but packages name either.)
if command -v readelf >/dev/null && command -v dpkg-query >/dev/null; then
  while read -r library; do
    path=$(ldd "$EDDY_BINARY" | awk -v name="$library" '$1 == name {print $3}')
    package=$(dpkg-query -S "$path" "/usr$path" 2>/dev/null | sed -n '1s/:.*//p' || true)
    case $package in
    '' | libc6 | libgcc-s1 | libasan* | libubsan* | libtsan*) ;; # of the tool chain, or of a sanitized build
    *) grep -qw -- "$package" deploy/Dockerfile || fail "the binary needs $library, but the image lacks $package" ;;
    esac
  done < <(readelf -d "$EDDY_BINARY" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
fi

# ---- compose.yaml: parses; its services are consistent; its variables are options of eddy
if command -v python3 >/dev/null && python3 -c 'import yaml' 2>/dev/null; then
  python3 - >"$folder/environment" <<'PYTHON'
import yaml

file = yaml.safe_load(open("deploy/compose.yaml"))
services = file["services"]
for name, service in services.items():
    assert "image" in service, name
    assert not service["image"].endswith(":latest"), name
    for other, how in service.get("depends_on", {}).items():
        assert other in services, (name, other)
        assert how["condition"] != "service_healthy" or "healthcheck" in services[other], (name, other)
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        assert source.startswith("..") or source in file["volumes"], (name, source)
assert services["eddy"]["read_only"] and services["eddy"]["cap_drop"] == ["ALL"]
for key, value in services["eddy"]["environment"].items():
    print(f"{key}={value}")
PYTHON
  mapfile -t variables <"$folder/environment"
  env "${variables[@]}" "$EDDY_BINARY" config check --config config/eddy.yaml >&2 ||
    fail "eddy does not take the variables of deploy/compose.yaml"
fi
