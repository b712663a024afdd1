/* One file in words. The first byte: bit 0 makes its checksums right again, as those of the kind
 * of file that it begins like; the rest chooses its name. Every line is printable text, and a
 * failure names the file.
 */
#include "fuzz/fuzz_files.h"

#include <string.h>

static void repair(st_buf *file)
{
    if (file->size < 8) {
        return;
    }
    if (memcmp(file->data, "STATORLG", 8) == 0) {
        fuzz_repair_log(file);
    } else if (memcmp(file->data, "STATORMF", 8) == 0) {
        fuzz_repair_manifest(file);
    } else if (memcmp(file->data, "STATORSF", 8) == 0) {
        fuzz_repair_sorted(file);
    }
}

void fuzz_target(st_slice input)
{
    static const char *const paths[] = {"/db/CURRENT", "/db/MANIFEST-000000000001",
                                        "/db/000000000002.log", "/db/000000000007.sst",
                                        "/db/anything"};
    uint8_t choice = fuzz_take_byte(&input);
    const char *path = paths[(choice >> 1) % (sizeof paths / sizeof *paths)];
    st_op op;
    st_buf file;
    st_op_init(&op, fuzz_alloc());
    st_buf_init(&file, fuzz_alloc());
    st_buf_slice(&file, input);
    if (choice & 1) {
        repair(&file);
    }
    st_env *env = fuzz_env_create();
    fuzz_env_put(env, path, st_buf_view(&file));
    st_status status = st_lsm_inspect(&op, env, path, fuzz_print_checked, NULL);
    if (!fuzz_is_ok(&op, status, file.size, fuzz_inspect_statuses)) {
        FUZZ_CHECK(&op, strstr(op.error.message, path) != NULL);
    }
    st_env_destroy(env);
    st_buf_deinit(&file);
    st_op_deinit(&op);
}
