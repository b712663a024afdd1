/* All or nothing over several tables, and many reads in one call. batch [FOLDER] */
#include "example.h"

int main(int count, char **words)
{
    stator_db *db = open_example(count, words);
    stator_table *orders = ensure_table(db, "orders", "id", STATOR_TYPE_N, NULL, 0);
    stator_table *stock = ensure_table(db, "stock", "sku", STATOR_TYPE_S, NULL, 0);
    stator_item *order = item_of("{\"id\": 1, \"sku\": \"lamp\"}");
    stator_item *lamp = item_of("{\"sku\": \"lamp\", \"left\": 4}");
    stator_item *sofa = item_of("{\"sku\": \"sofa\"}");
    stator_item *order_key = item_of("{\"id\": 1}"), *lamp_key = item_of("{\"sku\": \"lamp\"}");
    stator_item *item;
    stator_batch *batch;
    stator_cursor *cursor;

    must(stator_batch_new(db, &batch));
    stator_batch_put(batch, orders, order);
    stator_batch_put(batch, stock, lamp);
    stator_batch_delete(batch, stock, sofa);
    must(stator_batch_write(batch, NULL, &error)); /* and the batch is empty again */

    stator_batch_get(batch, orders, order_key);
    stator_batch_get(batch, stock, sofa); /* absent items are left out */
    stator_batch_get(batch, stock, lamp_key);
    must(stator_batch_read(batch, NULL, &cursor, &error));
    while (must(stator_cursor_next(cursor, &item, &error)), item) {
        show(item);
    }
    /* → {"id":1,"sku":"lamp"} */
    /* → {"left":4,"sku":"lamp"} */

    stator_cursor_free(cursor);
    stator_batch_free(batch);
    stator_item *items[] = {order, lamp, sofa, order_key, lamp_key};
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        stator_item_free(items[i]);
    }
    stator_table_free(orders);
    stator_table_free(stock);
    must(stator_close(db, &error));
    return 0;
}
