"""Counts that hold for all replicas, and the keys of chat messages that were carried out.

Both are new, so the code before runs on the schema after.
"""

from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: None = None
depends_on: None = None

_UP = (
    """
CREATE TABLE rate_limit (
    key text PRIMARY KEY,
    used integer NOT NULL,
    ends_at timestamptz NOT NULL
)""",
    "CREATE INDEX ix_rate_limit_ends_at ON rate_limit (ends_at)",
    """
CREATE FUNCTION rate_limit_count(wanted text, most integer, seconds integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    wait integer;
BEGIN
    -- Each call takes away more than it adds, so that the table keeps nothing that has ended.
    DELETE FROM rate_limit WHERE key IN (
        SELECT key FROM rate_limit WHERE ends_at <= now() AND key <> wanted
        ORDER BY ends_at LIMIT 5 FOR UPDATE SKIP LOCKED
    );
    INSERT INTO rate_limit AS kept (key, used, ends_at)
    VALUES (wanted, 1, now() + make_interval(secs => seconds))
    ON CONFLICT (key) DO UPDATE SET
        used = CASE WHEN kept.ends_at <= now() THEN 1 ELSE least(kept.used, most) + 1 END,
        ends_at = CASE WHEN kept.ends_at <= now() THEN excluded.ends_at ELSE kept.ends_at END
    RETURNING CASE WHEN used <= most THEN 0
        ELSE greatest(1, ceil(extract(epoch FROM ends_at - now()))::integer) END
    INTO wait;
    RETURN wait;
END $$""",
    """
CREATE FUNCTION rate_limit_give_back(wanted text) RETURNS void LANGUAGE sql AS $$
    UPDATE rate_limit SET used = used - 1 WHERE key = wanted AND used > 0
$$""",
    """
CREATE TABLE chat_key (
    user_id text NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    key uuid NOT NULL,
    message text NOT NULL,
    owner uuid NOT NULL,
    tools jsonb NOT NULL DEFAULT '[]',
    answer_id uuid REFERENCES message (id) ON DELETE SET NULL,
    answered boolean NOT NULL DEFAULT false,
    turn_ends_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
)""",
    "CREATE INDEX ix_chat_key_created_at ON chat_key (created_at)",
    "CREATE INDEX ix_chat_key_answer_id ON chat_key (answer_id)",
)
_DOWN = (
    "DROP TABLE chat_key, rate_limit",
    "DROP FUNCTION rate_limit_count(text, integer, integer), rate_limit_give_back(text)",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
