"""People at work on a field's cluster, as a program of its own: it has to run in the engine's network.

`python -m tests.field.working PEOPLE`: prints `working`, goes on until its standard input ends, and then prints as JSON
what the people met: answers, and of each failure when its request began (seconds since the epoch) and what.
"""

from __future__ import annotations

import json
import sys
import time

from runbook.engine.settings import load
from runbook.probes import users
from runbook.world import World


def main() -> None:
    world = World.of(load({}))
    with users.at_work(world, int(sys.argv[1])) as seen:
        print("working", flush=True)
        sys.stdin.read()
    epoch = time.time() - time.monotonic() + seen.began
    failures = [(epoch + each.after, f"{each.kind}: {each.what}") for each in seen.failures]
    print(json.dumps({"answered": seen.answered, "failures": failures, "lasted": seen.lasted}))


if __name__ == "__main__":
    main()
