/* The complete raw module: every function and structure of stator.h, as SWIG sees it. */
%module(package="stator") raw
%{
#include "stator.h"
%}
%include "stdint.i"
%include "stator.h"
