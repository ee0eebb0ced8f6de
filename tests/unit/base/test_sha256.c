// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/base/sha256.h>

/* The examples of FIPS 180-4, and a million times "a". */
static void the_standards_examples_come_out(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    struct sha256 *hash;
    char text[SHA256_TEXT_SIZE];
    assert_ok(sha256_open(&hash));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sha256_add(hash, bytes_of_text(cases[i][0]));
        sha256_text(hash, text);
        assert_string_equal(text, cases[i][1]);
    }
    for (int i = 0; i < 1000; i++) {
        uint8_t many[1000];
        memset(many, 'a', sizeof many);
        sha256_add(hash, bytes_of(many, sizeof many));
    }
    sha256_text(hash, text);
    assert_string_equal(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    sha256_close(hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_standards_examples_come_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
