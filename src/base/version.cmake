# Run at every build: cmake -DSOURCE_DIR=.. -DOUTPUT=.. -DMETASIEVE_VERSION=.. -P version.cmake
# Rewrites OUTPUT only when the commit changed, so that an unchanged tree recompiles nothing.

# A variable left by a git hook would name another repository.
set(git ${CMAKE_COMMAND} -E env --unset=GIT_DIR --unset=GIT_WORK_TREE --unset=GIT_INDEX_FILE git)
set(quietly WORKING_DIRECTORY ${SOURCE_DIR} ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
execute_process(COMMAND ${git} rev-parse --show-toplevel ${quietly} OUTPUT_VARIABLE top)
execute_process(COMMAND ${git} describe --always --abbrev=40 --exclude=* --dirty ${quietly} OUTPUT_VARIABLE commit)

# A source archive unpacked inside some other checkout is not a checkout of metasieve.
file(REAL_PATH "${SOURCE_DIR}" source)
file(REAL_PATH "${top}" top)
set(METASIEVE_GIT_COMMIT unknown)
if(commit AND top STREQUAL source)
  set(METASIEVE_GIT_COMMIT ${commit})
endif()

configure_file(${CMAKE_CURRENT_LIST_DIR}/version.cpp.in ${OUTPUT} @ONLY)
