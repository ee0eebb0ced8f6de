# Compiler flags that every target of eddy shares. Warnings are errors, with gcc and with clang.
add_library(eddy_warnings INTERFACE)
target_compile_options(eddy_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla -Werror
  # gcc cannot see that a ret_ output is set when the call succeeded, and guesses wrong at -O2; clang's check stays
  $<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
  $<$<C_COMPILER_ID:Clang>:-Wno-gnu-zero-variadic-macro-arguments -Wno-gnu-statement-expression>
  -fno-common -fstack-protector-strong)
# Asserts guard against bugs in release builds too, so NDEBUG is never defined.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
# Equal results on every machine: no fused multiply-add behind the source's back.
add_compile_options(-ffp-contract=off)
# x86-64-v2 would lose AVX2 in the scorers' loops; they dispatch at run time (target_clones) where it pays.
if(EDDY_SANITIZE)
  add_compile_options(-fsanitize=${EDDY_SANITIZE} -fno-omit-frame-pointer -fno-optimize-sibling-calls
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${EDDY_SANITIZE})
else()
  add_compile_definitions($<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
endif()
add_compile_definitions(_GNU_SOURCE)
