"""Several writes under their conditions, all or none; several reads of one moment. python transactions.py [FOLDER]"""

import sys
import uuid

import stator

with stator.open(sys.argv[1] if len(sys.argv) > 1 else ":memory:") as db:
    accounts = db.table("accounts", partition="id:S")
    accounts.put({"id": "ann", "sum": 100})
    accounts.put({"id": "bob", "sum": 0})
    log = db.table("log", partition="at:N")

    def move(amount):
        with db.transaction() as t:
            t.update(accounts, "ann", "SET #s = #s - :a", condition="#s >= :a", names={"#s": "sum"}, values={":a": amount})
            t.update(accounts, "bob", "SET #s = #s + :a", names={"#s": "sum"}, values={":a": amount})
            t.put(log, {"at": 1, "amount": amount})
            t.delete(log, 0)
            t.check(accounts, "cid", "attribute_not_exists(id)")

    move(30)
    try:
        move(80)
    except stator.TransactionCanceledException as error:
        print([reason.code for reason in error.reasons])  # → ['ConditionalCheckFailed', 'None', 'None', 'None', 'None']
        print(error.reasons[0].item["sum"])  # → 70
    ann, bob = db.transact_get([stator.Get(accounts, "ann"), stator.Get(accounts, "bob")])
    print(ann["sum"], bob["sum"])  # → 70 30

    # The same as a list. A token makes it happen once, however often it is sent within ten minutes.
    token = str(uuid.uuid4())
    for _ in range(2):
        db.transact_write(
            [
                stator.Put(accounts, {"id": "cid", "sum": 1}, condition="attribute_not_exists(id)"),
                stator.Update(accounts, "bob", "ADD #s :one", names={"#s": "sum"}, values={":one": 1}),
                stator.Check(accounts, "ann", "attribute_exists(id)"),
                stator.Delete(log, 1),
            ],
            token=token,
        )
    print(int(accounts["bob"]["sum"]))  # → 31
    accounts.delete("cid")

    later = db.transaction(durability="none")
    later.put(log, {"at": 2})
    later.commit()
    print(log.get(2))  # → {'at': Decimal('2')}
    log.delete(2)
