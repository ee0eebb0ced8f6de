# eddy_embed(TARGET PATTERN): compiles text files into TARGET as C strings, so that the binary can never
# drift from the files it was built with. schemas/click_event.avsc becomes
#   extern const char embedded_click_event_avsc[]; (see src/core/event/embedded.h)
function(eddy_embed target pattern)
  file(GLOB inputs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${pattern})
  foreach(input ${inputs})
    get_filename_component(name ${input} NAME)
    string(MAKE_C_IDENTIFIER ${name} symbol)
    set(output ${CMAKE_BINARY_DIR}/embedded/${symbol}.c)
    add_custom_command(OUTPUT ${output}
      COMMAND ${CMAKE_COMMAND} -DINPUT=${input} -DOUTPUT=${output} -DSYMBOL=embedded_${symbol}
              -P ${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake
      DEPENDS ${input} ${CMAKE_SOURCE_DIR}/cmake/embed_file.cmake VERBATIM)
    target_sources(${target} PRIVATE ${output})
  endforeach()
endfunction()
