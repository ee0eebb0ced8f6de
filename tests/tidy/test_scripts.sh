#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every shell script passes shellcheck, and shellcheck is seen to find a fault.
set -eu
command -v shellcheck >/dev/null || exit 77

# shellcheck disable=SC2016
if printf '#!/bin/sh\ncd $1\n' | shellcheck - >/dev/null; then
  echo "shellcheck reports nothing, even on a faulty script" >&2
  exit 1
fi

list=$(mktemp)
trap 'rm -f "$list"' EXIT
find . \( -name .git -o -name build -o -name corpus \) -prune -o -type f -print | while read -r file; do
  case $(head -n 1 "$file" | tr -d '\0') in
  '#!'*sh) printf '%s\0' "$file" ;;
  esac
done >"$list"
[ -s "$list" ] || {
  echo "found no script to check" >&2
  exit 1
}
xargs -0 shellcheck --external-sources --check-sourced <"$list"
