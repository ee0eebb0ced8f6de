#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each rule of tidy.awk reports what breaks it, at its line, and leaves alone what only looks like it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
checked=0
wrong=0

# check PATH: a tree with one file of that path, from standard input; its findings are in $found.
check() {
    rm -rf "$tree/src" "$tree/include" "$tree/tests" "$tree/docs" "$tree/bench"
    mkdir -p "$tree/$(dirname "$1")"
    cat >"$tree/$1"
    found=$("$here/tidy.sh" "$tree" || true)
    checked=$((checked + 1))
}

# rejects RULE LINE PATH: the file is reported there for that rule, and for nothing else.
rejects() {
    check "$3"
    case "$found" in
    "$3:$2: [$1] "*) [ "$(printf '%s\n' "$found" | wc -l)" = 1 ] && return ;;
    esac
    wrong=$((wrong + 1))
    printf 'wanted %s:%s: [%s], got:\n%s\n' "$3" "$2" "$1" "$found"
}

accepts() {
    check "$1"
    [ -z "$found" ] && return
    wrong=$((wrong + 1))
    printf 'wanted no finding in %s, got:\n%s\n' "$1" "$found"
}

# code PATH RULE LINE TEXT: the line stands in an otherwise good file; RULE "ok" wants no finding.
code() {
    {
        echo '// SPDX-License-Identifier: Apache-2.0'
        case "$1" in
        *.h)
            echo '#pragma once'
            echo "/* $(basename "$1" .h): a test. */"
            ;;
        esac
        printf '%s\n' "$4"
    } >"$tree/input"
    if [ "$2" = ok ]; then
        accepts "$1" <"$tree/input"
    else
        rejects "$2" "$3" "$1" <"$tree/input"
    fi
}

# whole PATH RULE LINE FORMAT: the same for a whole file, as printf writes it.
whole() {
    # shellcheck disable=SC2059
    printf "$4" >"$tree/input"
    if [ "$2" = ok ]; then
        accepts "$1" <"$tree/input"
    else
        rejects "$2" "$3" "$1" <"$tree/input"
    fi
}

# ---- layers
code src/base/a.c layers 2 '#include <eddy/core/click.h>'
code src/base/a.c layers 2 '#include "app/log.h"'
code src/core/a.c layers 2 '#include <eddy/io/http.h>'
code src/core/fusion/a.c layers 2 '#  include "io/kafka/client.h"'
code src/io/kafka/a.c layers 2 '#include "app/config.h"'
code src/io/kafka/a.c layers 2 '#include "io/lmdb/store.h"'
code src/io/kafka/a.c ok 0 '#include "io/kafka/client.h"'
code src/io/kafka/a.c ok 0 '#include <eddy/port.h>'
code src/core/a.c ok 0 '#include <eddy/port.h>'
code src/app/a.c ok 0 '#include <eddy/io/http.h>'
code include/eddy/base/a.h layers 4 '#include <eddy/core/click.h>'
code include/eddy/port.h layers 4 '#include <eddy/core/click.h>'
code include/eddy/core/a.h layers 4 '#include "core/event/wire.h"'
code src/core/a.c include 2 '#include "wire.h"'
code src/util/a.c layers 1 ''
code src/core/a.c ok 0 '/* #include <eddy/io/http.h> */'

# ---- libraries, each in its folder
code src/app/a.c library 2 '#include <librdkafka/rdkafka.h>'
code src/io/lmdb/a.c library 2 '#include <librdkafka/rdkafka_mock.h>'
code src/io/kafka/a.c ok 0 '#include <librdkafka/rdkafka.h>'
code src/io/kafka/a.c library 2 '#include <lmdb.h>'
code src/app/a.c library 2 '#include <microhttpd.h>'
code src/io/http/a.c library 2 '#include <curl/curl.h>'
code src/io/llm/a.c ok 0 '#include <curl/curl.h>'
code src/io/http/a.c library 2 '#include <yaml.h>'
code src/core/session/a.c library 2 '#include <jansson.h>'
code src/core/event/a.c ok 0 '#include <jansson.h>'
code src/core/intent/a.c ok 0 '#include <jansson.h>'
code src/app/a.c library 2 '#include <avro.h>'
code src/core/event/a.c library 2 '#include <avro.h>'
code src/core/a.c library 2 '#include <xxhash.h>'
code src/core/hashing/a.c library 2 '#include <utf8proc.h>'
code src/core/text/a.c ok 0 '#include <utf8proc.h>'
code src/core/a.c library 2 '#include <zlib.h>'
code src/io/kafka/a.c library 2 '#include <zstd.h>'
code src/app/a.c library 2 '#include <openssl/ssl.h>'
code include/eddy/io/a.h library 4 '#include <librdkafka/rdkafka.h>'

# ---- a pure core
code src/core/a.c pure 2 '#include <unistd.h>'
code src/core/a.c pure 2 '#include <pthread.h>'
code src/base/a.c pure 2 '#include <time.h>'
code src/io/http/a.c ok 0 '#include <pthread.h>'
code src/core/a.c ok 0 '#include <math.h>'

# ---- functions
for name in strcpy strcat sprintf vsprintf gets atoi atol atof rand srand strtok getenv exit sleep usleep time \
    clock_gettime gettimeofday nanosleep system; do
    code src/app/a.c banned 2 "    x = $name(y);"
done
code src/io/kafka/a.c banned 2 '    if (getenv ("HOME"))'
code src/app/environment.c ok 0 '    return getenv(name);'
code src/io/system/clock.c ok 0 '    clock_gettime(clock, &now);'
code src/io/kafka/clock.c banned 2 '    clock_gettime(clock, &now);'
code src/app/a.c banned 2 '#define COPY(a, b) strcpy(a, b)'
code src/app/a.c ok 0 '    source.time(self); queue->sleep(self); my_exit(1); strcpy_s(a); int time; /* exit(1) */'
code src/app/a.c ok 0 '    log("never call exit(1) or time(NULL)", '"'\"'"', "\"rand()"); // atoi(x)'
code src/app/a.c banned 3 '/* a comment of
 two lines */ exit(1);'
code src/core/a.c printing 2 '    printf("x");'
code src/io/kafka/a.c printing 2 '    fprintf(stderr, "x");'
code src/base/a.c printing 2 '    perror("x");'
code src/app/a.c ok 0 '    printf("x");'
code src/core/a.c ok 0 '    snprintf(text, size, "x");'

# ---- heads
whole src/app/a.c spdx 1 '#include <stdio.h>\n'
whole tests/unit/test_a.c spdx 1 '// SPDX-License-Identifier: MIT\n'
whole tests/tidy/test_a.sh spdx 1 '#!/bin/sh\necho\n\n\n'
whole src/app/a.h pragma 2 '// SPDX-License-Identifier: Apache-2.0\n\n/* a: x */\n'
whole src/app/a.h contract 3 '// SPDX-License-Identifier: Apache-2.0\n#pragma once\n#include <stdio.h>\n'
whole include/eddy/core/a.h contract 3 '// SPDX-License-Identifier: Apache-2.0\n#pragma once\n/* b: x */\n'
whole include/eddy/core/a.h contract 2 '// SPDX-License-Identifier: Apache-2.0\n#pragma once\n'
whole include/eddy/core/a.h ok 0 '// SPDX-License-Identifier: Apache-2.0\n#pragma once\n/* a: x */\n'

# ---- statuses
code include/eddy/core/a.h must_check 4 'struct status a_open(int b);'
code src/core/a.h must_check 4 'static inline struct status a_open(int b)'
code include/eddy/core/a.h ok 0 'MUST_CHECK struct status a_open(int b);'
code include/eddy/core/a.h ok 0 'struct ops {
    struct status (*poll)(void *self);
};'
code src/core/a.c ok 0 'struct status a_open(int b)'

# ---- text
code src/core/a.c todo 2 '// TO''DO: later'
code src/core/a.c todo 2 '/* FIX''ME */'
code src/core/a.c ok 0 '/* mkdtemp("XXXXXX"), TODOS, todo list */'
whole docs/A.md machine 1 'see /wo''rk/main\n'
code tests/unit/test_a.c machine 2 'read("../sha''red/data");'
code src/core/a.c line 2 "$(printf '%0121d' 0)"
code src/core/a.c ok 0 "$(printf '%0118d' 0)ää"
code src/core/a.c line 2 'int a; '
whole docs/A.md ok 0 "$(printf '%0200d' 0)\n"

# ---- sizes
body() {
    echo 'void a(void)'
    echo '{'
    i=0
    while [ "$i" -lt "$1" ]; do
        echo '    a();'
        i=$((i + 1))
    done
    echo '}'
}
code src/core/a.c ok 0 "$(body 60)"
code src/core/a.c function 3 "$(body 61)"
code tests/unit/test_a.c function 3 "$(body 61)"
lines() {
    echo '// SPDX-License-Identifier: Apache-2.0'
    i=1
    while [ "$i" -lt "$1" ]; do
        echo ';'
        i=$((i + 1))
    done
}
whole src/core/a.c ok 0 "$(lines 500)\n"
whole src/core/a.c file 501 "$(lines 501)\n"
whole tests/unit/test_a.c ok 0 "$(lines 900)\n"
whole tests/unit/test_a.c file 901 "$(lines 901)\n"

# ---- exceptions
mkdir -p "$tree/tests/tidy"
exceptions() { # path for a finding, then what is in the list
    rm -rf "$tree/src" "$tree/tests"
    mkdir -p "$tree/src/core" "$tree/tests/tidy"
    lines 501 >"$tree/src/core/a.c"
    printf '%s\n' "$1" >"$tree/tests/tidy/exceptions.txt"
    found=$("$here/tidy.sh" "$tree" || true)
    checked=$((checked + 1))
}
exceptions 'file src/core/a.c a test'
[ -z "$found" ] || { wrong=$((wrong + 1)); printf 'an exception did not hold: %s\n' "$found"; }
exceptions 'line src/core/a.c a test'
[ "$(printf '%s\n' "$found" | grep -c -e '\[file\]' -e '\[exceptions\]')" = 2 ] ||
    { wrong=$((wrong + 1)); printf 'an unused exception was not reported: %s\n' "$found"; }
exceptions 'file src/core/a.c'
[ -n "$found" ] || { wrong=$((wrong + 1)); echo 'an exception without a reason held'; }
rm -rf "$tree/src" "$tree/tests" "$tree/docs" "$tree/include" "$tree/input"
"$here/tidy.sh" "$tree" >"$tree/out" 2>&1 && { wrong=$((wrong + 1)); echo 'an empty tree passed'; }

echo "$checked cases, $wrong wrong"
[ "$wrong" = 0 ] && [ "$checked" -gt 80 ]
