# eddy_embed(TARGET PATTERN): puts files into TARGET as bytes with a NUL behind them, so that the binary can never
# drift from the files it was built with. schemas/click_event.avsc becomes
#   extern const char embedded_click_event_avsc[]; extern const size_t embedded_click_event_avsc_size;
function(eddy_embed target pattern)
  file(GLOB inputs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${pattern})
  foreach(input ${inputs})
    get_filename_component(name ${input} NAME)
    string(MAKE_C_IDENTIFIER ${name} symbol)
    set(output ${CMAKE_BINARY_DIR}/embedded/${symbol}.c)
    file(CONFIGURE OUTPUT ${output} @ONLY CONTENT [[
#include <stddef.h>
__asm__(".pushsection .rodata\n"
        ".global embedded_@symbol@\n"
        "embedded_@symbol@:\n"
        ".incbin \"@input@\"\n"
        "embedded_@symbol@_end:\n"
        ".byte 0\n"
        ".balign 8\n"
        ".global embedded_@symbol@_size\n"
        "embedded_@symbol@_size:\n"
        ".quad embedded_@symbol@_end - embedded_@symbol@\n"
        ".popsection\n");
_Static_assert(sizeof(size_t) == 8, "the size above is 64 bits");
]])
    set_source_files_properties(${output} PROPERTIES OBJECT_DEPENDS ${input})
    target_sources(${target} PRIVATE ${output})
  endforeach()
endfunction()
