# find_package(Stator) gives Stator::stator.
include(${CMAKE_CURRENT_LIST_DIR}/StatorTargets.cmake)
