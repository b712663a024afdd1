"""Tables with local and global indexes, expiry and a stream. python indexes.py [FOLDER]"""

import sys

import stator

with stator.open(sys.argv[1] if len(sys.argv) > 1 else ":memory:") as db:
    games = db.table(
        "games",
        partition="player:S",
        sort="at:N",
        local={"by_score": "score:N"},
        globals={
            "by_town": {"partition": "town:S", "sort": "score:N", "projection": "KEYS_ONLY"},
            "by_place": {"partition": ["country:S", "town:S"], "sort": ["game:S", "score:N"], "projection": ["won"]},
        },
        ttl="expires",
        stream="NEW_AND_OLD_IMAGES",
    )
    print(sorted(games.indexes), games.ttl, games.stream)  # → ['by_place', 'by_score', 'by_town'] expires NEW_AND_OLD_IMAGES
    print(games.indexes["by_town"].kind, games.indexes["by_town"].sort)  # → global (('score', 'N'),)
    for at, (town, game, score) in enumerate([("Bern", "go", 30), ("Bern", "chess", 10), ("Genf", "go", 20)]):
        games.put({"player": "ann", "at": at, "country": "ch", "town": town, "game": game, "score": score, "won": True})

    print([int(game["at"]) for game in games.query("ann", index="by_score", reverse=True)])  # → [0, 2, 1]
    print([int(game["at"]) for game in games.query("Bern", stator.gt(20), index="by_town")])  # → [0]
    # A key of several attributes: all of the partition, and as much of the sort key as is wanted, the last by any condition.
    found = games.query(["ch", "Bern"], [stator.eq("go"), stator.ge(25)], index="by_place")
    print([(int(game["at"]), game["won"]) for game in found])  # → [(0, True)]
    print(len(list(games.scan(index="by_town"))))  # → 3
