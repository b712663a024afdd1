"""All or nothing over several tables, and many reads in one call. python batch.py [FOLDER]"""

import sys

import stator

with stator.open(sys.argv[1] if len(sys.argv) > 1 else ":memory:") as db:
    orders = db.table("orders", partition="id:N")
    stock = db.table("stock", partition="sku:S")

    # Written when the block ends; an exception in it throws the batch away.
    with db.batch() as batch:
        batch.put(orders, {"id": 1, "sku": "lamp"})
        batch.put(stock, {"sku": "lamp", "left": 4})
        batch.delete(stock, "sofa")
        print(len(batch))  # → 3
    print([order and order["sku"] for order in orders.batch_get([1, 2])])  # → ['lamp', None]

    late = db.batch(durability="none")
    late.delete(stock, "lamp")
    late.write()
    print(stock.batch_get(["lamp"]))  # → [None]
