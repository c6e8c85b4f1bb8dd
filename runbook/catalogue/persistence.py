"""Phase 7: PostgreSQL with TLS, and data that outlives the pods (user story 5)."""

from __future__ import annotations

from runbook.step import Step

STEPS = (
    Step("T105", "A template shows the structure of the application's Secret", needs=("T002",)),
    Step("T106", "The application's Secret holds every key that it needs", needs=("T042", "T043")),
    Step("T107", "The backend takes its database URL from the Secret", needs=("T030",)),
    Step("T108", "The backend takes its model key from the Secret", needs=("T030",)),
    Step("T109", "The backend takes its sign-in secret from the Secret", needs=("T030",)),
    Step("T110", "The database URL demands TLS", needs=("T106",)),
    Step(
        "T111",
        "The release is upgraded to the references to the Secret",
        needs=("T048", "T106", "T107", "T108", "T109"),
    ),
    Step("T112", "The backend starts with a connection to PostgreSQL", needs=("T111",)),
    Step("T113", "The backend's log tells of the connection to PostgreSQL", needs=("T112",)),
    Step("T114", "A task is created, changed and deleted by chat", needs=("T053", "T112")),
    Step("T115", "What the chat changed is found in PostgreSQL", needs=("T114",)),
    Step("T116", "The backend's pod is deleted", needs=("T115",)),
    Step("T117", "The new pod finds the data of the old one", needs=("T116",)),
    Step("T118", "Many requests at once stay within the connection budget", needs=("T112",)),
    Step("T119", "New credentials are in use after a restart, and the old ones refused", needs=("T112",)),
)
