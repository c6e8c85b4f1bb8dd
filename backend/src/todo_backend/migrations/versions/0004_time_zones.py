"""The time zone of each person.

New and beside the rest, so the code before runs on the schema after. Due dates stay as they are: a day is
kept as its midnight, marked as UTC, and a time of day as it was written.
"""

from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE preference ("
        ' user_id text PRIMARY KEY REFERENCES "user" (id) ON DELETE CASCADE, time_zone text NOT NULL)'
    )


def downgrade() -> None:
    op.execute("DROP TABLE preference")
