# find_package(Stator) gives Stator::stator, and Stator::stator_static.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/StatorTargets.cmake)
