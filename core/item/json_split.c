/* Cutting a stream of JSON objects at their ends, piece by piece: brackets and strings are all it
 * looks at. A bracket that closes nothing ends an object too, so that the parser refuses it. */
#include "item/item.h"

bool st_json_split(st_json_splitter *splitter, st_slice piece, size_t *out_bytes)
{
    *out_bytes = piece.size;
    for (size_t i = 0; i < piece.size; i++) {
        uint8_t c = piece.data[i];
        if (splitter->is_in_string) {
            splitter->is_in_string = c != '"' || splitter->is_escaped;
            splitter->is_escaped = c == '\\' && !splitter->is_escaped;
            continue;
        }
        splitter->is_in_string = c == '"';
        splitter->depth += c == '{' || c == '[';
        if (c == '}' || c == ']') {
            splitter->depth -= splitter->depth > 0;
            if (splitter->depth == 0) {
                *out_bytes = i + 1;
                return true;
            }
        }
    }
    return false;
}
