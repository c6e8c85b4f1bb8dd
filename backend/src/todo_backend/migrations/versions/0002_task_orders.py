"""Indexes for the orders and filters of the task list.

Only indexes: the code before and the code after run on both schemas. They are made within the one
transaction of the upgrade, so that all or none are there; at 100,000 tasks that takes about a second,
for which writers of tasks wait.
"""

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: None = None
depends_on: None = None

_NEW = {
    "ix_task_newest": "created_at, id",
    "ix_task_status_newest": "is_completed, created_at, id",
    "ix_task_due_first": "target_completion_date, id",
    "ix_task_due_last": "target_completion_date DESC NULLS LAST, id DESC",
    "ix_task_priority": "priority, created_at DESC, id DESC",
    "ix_task_title": "lower(title), id",
}
_REPLACED = {
    "ix_task_user_id_created_at": "created_at DESC",
    "ix_task_user_id_is_completed": "is_completed",
}


def _exchange(new: dict[str, str], old: dict[str, str]) -> None:
    for name, columns in new.items():
        op.execute(f"CREATE INDEX {name} ON task (user_id, {columns})")
    for name in old:
        op.execute(f"DROP INDEX {name}")


def upgrade() -> None:
    _exchange(_NEW, _REPLACED)


def downgrade() -> None:
    _exchange(_REPLACED, _NEW)
