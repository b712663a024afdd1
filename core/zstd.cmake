# How whoever compiles the engine comes by zstd. STATOR_ZSTD is one of
#   shared  libzstd is linked, and asked for when the program starts
#   static  libzstd.a is linked in, and nothing is asked for: what released packages do
#   dlopen  libzstd.so.1 is opened at first use; where it is missing new blocks stay plain
#   auto    the first of STATOR_ZSTD_WAYS (set by the includer) that can be built here; dlopen always can
# Sets STATOR_ZSTD_WAY, STATOR_ZSTD_LIBRARIES and STATOR_ZSTD_DEFINITIONS.
set(STATOR_ZSTD auto CACHE STRING "How zstd is linked: auto, shared, static or dlopen")
find_path(STATOR_ZSTD_INCLUDE zstd.h)
find_library(STATOR_ZSTD_SHARED ${CMAKE_SHARED_LIBRARY_PREFIX}zstd${CMAKE_SHARED_LIBRARY_SUFFIX})
find_library(STATOR_ZSTD_STATIC ${CMAKE_STATIC_LIBRARY_PREFIX}zstd${CMAKE_STATIC_LIBRARY_SUFFIX})
mark_as_advanced(STATOR_ZSTD_INCLUDE STATOR_ZSTD_SHARED STATOR_ZSTD_STATIC)

set(STATOR_ZSTD_WAY ${STATOR_ZSTD})
if(STATOR_ZSTD STREQUAL auto)
  set(STATOR_ZSTD_WAY dlopen)
  foreach(way ${STATOR_ZSTD_WAYS})
    string(TOUPPER ${way} name)
    if(STATOR_ZSTD_WAY STREQUAL dlopen AND STATOR_ZSTD_INCLUDE AND STATOR_ZSTD_${name})
      set(STATOR_ZSTD_WAY ${way})
    endif()
  endforeach()
endif()

if(STATOR_ZSTD_WAY STREQUAL dlopen)
  set(STATOR_ZSTD_LIBRARIES ${CMAKE_DL_LIBS})
  set(STATOR_ZSTD_DEFINITIONS STATOR_ZSTD_DLOPEN)
elseif(STATOR_ZSTD_WAY MATCHES "^(shared|static)$")
  string(TOUPPER ${STATOR_ZSTD_WAY} name)
  if(NOT STATOR_ZSTD_INCLUDE OR NOT STATOR_ZSTD_${name})
    message(FATAL_ERROR "STATOR_ZSTD=${STATOR_ZSTD_WAY} needs zstd.h and the ${STATOR_ZSTD_WAY} library "
        "(Debian: libzstd-dev); auto or dlopen do without")
  endif()
  set(STATOR_ZSTD_LIBRARIES ${STATOR_ZSTD_${name}})
  set(STATOR_ZSTD_DEFINITIONS "")
else()
  message(FATAL_ERROR "STATOR_ZSTD=${STATOR_ZSTD} is none of auto, shared, static, dlopen")
endif()
message(STATUS "zstd: ${STATOR_ZSTD_WAY}")
