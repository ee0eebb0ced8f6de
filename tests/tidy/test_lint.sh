#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# .clang-tidy is understood, passes what is right and finds what is wrong, in src and in tests. The whole tree takes
# minutes: ./dev lint.
set -euo pipefail
command -v clang-tidy-14 >/dev/null || exit 77
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}
mkdir -p "$folder/tests"
cp .clang-tidy "$folder"
cp tests/.clang-tidy "$folder/tests"

# lint FILE: what it finds goes to $folder/found; no check may be unknown, no line of the settings broken.
lint() {
  local status=0
  clang-tidy-14 --quiet "$1" -- -std=gnu17 -Iinclude -Isrc >"$folder/found" 2>"$folder/errors" || status=$?
  if grep -Eqi 'unknown|invalid|Error ' "$folder/errors"; then
    fail "the settings are broken: $(cat "$folder/errors")"
  fi
  return "$status"
}

for source in src/base/bytes.c src/core/click.c; do
  lint "$source" || fail "$source: $(cat "$folder/found")"
done

cat >"$folder/wrong.c" <<'C'
#include <string.h>
int is_wrong(const char *a, const char *b);
int is_wrong(const char *a, const char *b)
{
    char *copy = (char *)a;
    memset(copy, 1000, 4);
    if (strcmp(a, b))
        return 1;
    return 0;
}
C
cp "$folder/wrong.c" "$folder/tests"
for source in "$folder/wrong.c" "$folder/tests/wrong.c"; do
  if lint "$source"; then fail "$source passes"; fi
  grep -q bugprone-suspicious-string-compare "$folder/found" || fail "an implicit strcmp is not found in $source"
  grep -q bugprone-suspicious-memset-usage "$folder/found" || fail "a memset with 1000 is not found in $source"
done
