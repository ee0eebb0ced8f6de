# SPDX-License-Identifier: Apache-2.0
# tidy: the rules of docs/STYLE.md and docs/adr/0001-layers.md that a compiler does not check. Reads the files of a
# source tree (see tidy.sh) and prints "file:line: [rule] what is wrong" for each finding.

BEGIN {
    LINE_MAX = 120
    FILE_MAX = 500
    TEST_FILE_MAX = 900 # a program of independent tests is read one at a time
    FUNCTION_MAX = 60

    split("base core io app", names, " ")
    for (i in names)
        rank[names[i]] = i

    # Third-party headers: where each may be included. Tests and benchmarks may include any.
    home["librdkafka/"] = "^src/io/kafka/"
    home["cblas.h"] = "^src/core/model/"
    home["cpuid.h"] = "^src/io/system/"
    home["lmdb.h"] = "^src/io/lmdb/"
    home["microhttpd.h"] = "^src/io/http/"
    home["curl/"] = "^src/io/(llm|registry)/"
    home["zlib.h"] = "^src/io/file/"
    home["zstd.h"] = "^src/io/file/"
    home["yaml.h"] = "^src/app/config/"
    home["xxhash.h"] = "^src/base/"
    home["nettle/"] = "^src/base/"
    home["jansson.h"] = "^src/(app/search|core/(encoder|event|intent)|io/registry)/"
    home["utf8proc.h"] = "^src/core/text/"
    home["avro.h"] = "^$" # the oracle of tests, docs/adr/0002-avro-decoding.md
    home["avro/"] = "^$"

    # What base and core may use of libc: nothing that opens, waits, tells the time or starts a thread.
    count = split("assert ctype endian errno float immintrin inttypes limits math stdarg stdatomic stdbool stddef " \
                  "stdint stdio stdlib string", names, " ")
    for (i = 1; i <= count; i++)
        pure[names[i] ".h"] = 1
    # What io and app may use of the system besides.
    count = split("arpa/inet.h dirent.h fcntl.h getopt.h langinfo.h locale.h net/if.h netdb.h netinet/in.h poll.h " \
                  "pthread.h sched.h signal.h sys/file.h sys/ioctl.h sys/mman.h sys/resource.h sys/signalfd.h " \
                  "sys/socket.h sys/stat.h sys/statvfs.h sys/syscall.h sys/time.h sys/types.h sys/un.h sys/vfs.h " \
                  "sys/wait.h sysexits.h syslog.h termios.h time.h unistd.h", names, " ")
    for (i = 1; i <= count; i++)
        system_header[names[i]] = 1

    # Functions nobody may call, by name; the value is the only file that may ("" none).
    count = split("strcpy strcat sprintf vsprintf gets atoi atol atoll atof rand srand random strtok alloca exit " \
                  "_exit quick_exit sleep usleep gettimeofday system popen", names, " ")
    for (i = 1; i <= count; i++)
        banned[names[i]] = "^$"
    banned["getenv"] = "^src/app/environment\\.c$"
    banned["secure_getenv"] = "^src/app/environment\\.c$"
    banned["time"] = banned["clock_gettime"] = banned["clock"] = "^src/io/system/"
    banned["nanosleep"] = banned["clock_nanosleep"] = "^src/io/system/"
    count = split("printf fprintf vprintf vfprintf puts fputs putchar perror", names, " ")
    for (i = 1; i <= count; i++)
        printing[names[i]] = 1

    # "rule path" lines: findings that are known and have a reason.
    exceptions = root "/tests/tidy/exceptions.txt"
    while ((getline line < exceptions) > 0)
        if (line !~ /^#/ && split(line, words, " ") >= 3)
            excused[words[1] " " words[2]] = 1
    while ((getline line < list) > 0)
        ARGV[ARGC++] = root "/" line
}

function report(where, rule, text)
{
    if ((rule " " path) in excused) {
        used[rule " " path] = 1
        return
    }
    printf "%s:%d: [%s] %s\n", path, where, rule, text
    findings++
}

# The line without comments and with empty strings; comments that go on are remembered.
function strip(text,    out, i, n, c, two, quote)
{
    out = ""
    n = length(text)
    quote = ""
    for (i = 1; i <= n; i++) {
        c = substr(text, i, 1)
        two = substr(text, i, 2)
        if (in_comment) {
            if (two == "*/") {
                in_comment = 0
                i++
            }
        } else if (quote != "") {
            if (c == "\\")
                i++
            else if (c == quote) {
                quote = ""
                out = out c
            }
        } else if (two == "/*") {
            in_comment = 1
            i++
        } else if (two == "//")
            break
        else {
            if (c == "\"" || c == "'")
                quote = c
            out = out c
        }
    }
    return out
}

function layer_of(name)
{
    if (name ~ /^eddy\/port\.h$/)
        return "base"
    sub(/^eddy\//, "", name)
    sub(/\/.*/, "", name)
    return name
}

function check_include(text,    target, mine, theirs, prefix, allowed)
{
    target = text
    sub(/^#[ ]*include[ ]*[<"]/, "", target)
    sub(/[>"].*/, "", target)
    mine = layer_of(relative)
    theirs = layer_of(target)
    if (target ~ /^eddy\// || text ~ /include[ ]*"/) {
        if (!(theirs in rank))
            report(FNR, "include", "cannot tell the layer of " target "; write <eddy/...> or \"layer/...\"")
        else if (rank[theirs] > rank[mine])
            report(FNR, "layers", mine " must not include " target)
        else if (text ~ /"io\// && relative ~ /^io\// && folder_of(target) != folder_of(relative))
            report(FNR, "layers", "an adapter must not include another one's private header " target)
        else if (public && text ~ /include[ ]*"/)
            report(FNR, "layers", "a public header must not include a private one: " target)
        return
    }
    for (prefix in home)
        if (index(target, prefix) == 1 && (prefix ~ /\/$/ || target == prefix)) {
            allowed = home[prefix]
            if (path !~ allowed)
                report(FNR, "library", target " may only be included in " substr(allowed, 2))
            return
        }
    if (!(target in pure) && !(target in system_header))
        report(FNR, "library", target " is not a known header; new libraries get a row in tests/tidy/tidy.awk")
    else if (!(target in pure) && rank[mine] <= rank["core"])
        report(FNR, "pure", mine " must not use " target)
}

function folder_of(name)
{
    sub(/\/[^\/]*$/, "", name)
    return name
}

# Names that are called in a stripped line.
function check_calls(text,    name, before)
{
    while (match(text, /[A-Za-z_][A-Za-z0-9_]*[ ]*\(/)) {
        name = substr(text, RSTART, RLENGTH - 1)
        sub(/[ ]+$/, "", name)
        before = RSTART > 1 ? substr(text, RSTART - 1, 1) : ""
        if (RSTART > 2 && substr(text, RSTART - 2, 2) == "->")
            before = "."
        text = substr(text, RSTART + RLENGTH)
        if (before == ".")
            continue
        if ((name in banned) && path !~ banned[name])
            report(FNR, "banned", name "()")
        if ((name in printing) && layer_of(relative) != "app")
            report(FNR, "printing", name "() in " layer_of(relative) "; only app prints")
    }
}

function check_any_text()
{
    if ($0 ~ /(^|[^A-Za-z0-9_])(TOD[O]|FIXM[E]|XX[X]|HAC[K])([^A-Za-z0-9_]|$)/)
        report(FNR, "todo", "what is left to do stands in an issue, not in the code")
    if ($0 ~ /\/wor[k]\/|\.\.\/share[d]|\/tmp\/[h]\/|\/hom[e]\/|\/roo[t]\//)
        report(FNR, "machine", "a path of somebody's machine")
    if (path !~ /\.(md|json|avsc|yaml|yml|txt|svg|service)$/) {
        width = $0
        gsub(/[\200-\277]/, "", width) # continuation bytes of UTF-8 take no column
        if (length(width) > LINE_MAX)
            report(FNR, "line", "longer than " LINE_MAX " columns")
    }
    if ($0 ~ /[ \t]$/ && path !~ /\.md$/)
        report(FNR, "line", "ends with a blank")
}

function check_head()
{
    if (FNR == 1 && is_c && $0 != "// SPDX-License-Identifier: Apache-2.0")
        report(1, "spdx", "the first line must be // SPDX-License-Identifier: Apache-2.0")
    if (FNR <= 3 && path ~ /\.(sh|awk|py)$/ && $0 == "# SPDX-License-Identifier: Apache-2.0")
        has_spdx = 1
    if (!is_header)
        return
    if (FNR == 2 && $0 != "#pragma once")
        report(2, "pragma", "the second line must be #pragma once")
    name = relative
    sub(/^.*\//, "", name)
    sub(/\.h$/, "", name)
    if (FNR == 3 && index($0, public ? "/* " name ": " : "/* ") != 1)
        report(3, "contract", "the third line must begin the contract: /* " name ": what it is for")
}

function check_code(    code)
{
    code = strip($0)
    if (code ~ /^#[ ]*include/)
        check_include($0)
    else
        check_calls(code)
    if (is_header && code ~ /^(static inline |extern )?struct status [a-z_0-9]+\(/ && code !~ / complain\(/)
        report(FNR, "must_check", "a function that returns a status must be MUST_CHECK")
}

# As clang-format leaves it, a function's braces stand alone at the beginning of their lines.
function check_length()
{
    if ($0 == "{")
        opened = FNR
    if ($0 == "}" && opened > 0) {
        if (FNR - opened - 1 > FUNCTION_MAX)
            report(opened, "function", (FNR - opened - 1) " lines; at most " FUNCTION_MAX)
        opened = 0
    }
}

function finish_file()
{
    if (path == "")
        return
    lines_max = path ~ /^tests\// ? TEST_FILE_MAX : FILE_MAX
    if (is_c && last_line > lines_max)
        report(last_line, "file", last_line " lines; at most " lines_max)
    if (path ~ /\.(sh|awk|py)$/ && !has_spdx)
        report(1, "spdx", "one of the first three lines must be # SPDX-License-Identifier: Apache-2.0")
    if (is_header && last_line < 3)
        report(last_line, "contract", "a header has at least its contract")
}

FNR == 1 {
    finish_file()
    path = substr(FILENAME, length(root) + 2)
    relative = path
    sub(/^(src|include)\//, "", relative)
    is_c = path ~ /\.[ch]$/
    is_header = path ~ /\.h$/
    public = path ~ /^include\//
    is_layer = is_c && path ~ /^(src|include)\//
    in_comment = opened = has_spdx = 0
    if (is_layer && !(layer_of(relative) in rank))
        report(1, "layers", "not in a layer: base, core, io or app")
}
{
    last_line = FNR
    check_any_text()
    check_head()
    if (is_c)
        check_length()
    if (is_layer)
        check_code()
}

END {
    finish_file()
    path = "tests/tidy/exceptions.txt"
    for (row in excused)
        if (!(row in used))
            report(1, "exceptions", "not needed any more: " row)
    exit findings > 0
}
