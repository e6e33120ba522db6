# Run at every build: cmake -DSOURCE_DIR=.. -DOUTPUT=.. -DMETASIEVE_VERSION=.. -P version.cmake
# Rewrites OUTPUT only when the commit changed, so that an unchanged tree recompiles nothing.

set(METASIEVE_GIT_COMMIT unknown)
find_program(GIT git)
if(GIT)
  # A variable left by a git hook would name another repository.
  unset(ENV{GIT_DIR})
  unset(ENV{GIT_WORK_TREE})
  unset(ENV{GIT_INDEX_FILE})

  function(ask variable)
    execute_process(COMMAND ${GIT} ${ARGN} WORKING_DIRECTORY ${SOURCE_DIR}
      OUTPUT_VARIABLE answer RESULT_VARIABLE status ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT status EQUAL 0)
      set(answer "")
    endif()
    set(${variable} "${answer}" PARENT_SCOPE)
  endfunction()

  # A source archive unpacked inside some other checkout is not a checkout of metasieve.
  ask(top rev-parse --show-toplevel)
  file(REAL_PATH "${SOURCE_DIR}" source)
  if(top)
    file(REAL_PATH "${top}" top)
  endif()
  if(top STREQUAL source)
    ask(commit rev-parse --verify HEAD)
    ask(changes status --porcelain --untracked-files=no)
    if(commit MATCHES "^[0-9a-f]+$")
      set(METASIEVE_GIT_COMMIT ${commit})
      if(changes)
        string(APPEND METASIEVE_GIT_COMMIT "-dirty")
      endif()
    endif()
  endif()
endif()

configure_file(${CMAKE_CURRENT_LIST_DIR}/version.hpp.in ${OUTPUT} @ONLY)
