/* Prints a parsed statement as a statement: every name quoted, every row of operators in
 * parentheses. What is printed parses, and prints the same again; but binaries have no literal and
 * come as a question mark, and an ORDER BY of something that is no name says what it is. */
#ifndef STATOR_TESTS_PARTIQL_PRINT_H
#define STATOR_TESTS_PARTIQL_PRINT_H

#include "partiql/partiql.h"

void partiql_print(const st_partiql_statement *statement, st_buf *out); /* appends */

#endif
