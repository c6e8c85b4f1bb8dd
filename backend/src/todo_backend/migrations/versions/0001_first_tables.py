"""Tables of authentication, tasks and conversations."""

from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: None = None
depends_on: None = None

_UP = """
CREATE TABLE "user" (
    id text PRIMARY KEY,
    name varchar(255) NOT NULL,
    email varchar(255) NOT NULL UNIQUE,
    "emailVerified" boolean NOT NULL DEFAULT false,
    image text,
    "createdAt" timestamptz NOT NULL DEFAULT now(),
    "updatedAt" timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE session (
    id text PRIMARY KEY,
    token text NOT NULL UNIQUE,
    "expiresAt" timestamptz NOT NULL,
    "userId" text NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    "ipAddress" text,
    "userAgent" text,
    "createdAt" timestamptz NOT NULL DEFAULT now(),
    "updatedAt" timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX "ix_session_userId" ON session ("userId");

CREATE TABLE account (
    id text PRIMARY KEY,
    "accountId" text NOT NULL,
    "providerId" text NOT NULL,
    "userId" text NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    "accessToken" text,
    "refreshToken" text,
    "idToken" text,
    "accessTokenExpiresAt" timestamptz,
    "refreshTokenExpiresAt" timestamptz,
    scope text,
    password text,
    "createdAt" timestamptz NOT NULL DEFAULT now(),
    "updatedAt" timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX "ix_account_userId" ON account ("userId");

CREATE TABLE verification (
    id text PRIMARY KEY,
    identifier text NOT NULL,
    value text NOT NULL,
    "expiresAt" timestamptz NOT NULL,
    "createdAt" timestamptz NOT NULL DEFAULT now(),
    "updatedAt" timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_verification_identifier ON verification (identifier);

CREATE TYPE task_priority AS ENUM ('high', 'medium', 'low');

CREATE TABLE task (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id text NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    title varchar(200) NOT NULL CONSTRAINT task_title_not_blank CHECK (length(btrim(title)) > 0),
    description varchar(1000) NOT NULL DEFAULT '',
    priority task_priority NOT NULL DEFAULT 'medium',
    is_completed boolean NOT NULL DEFAULT false,
    target_completion_date timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz
);
CREATE INDEX ix_task_user_id_created_at ON task (user_id, created_at DESC);
CREATE INDEX ix_task_user_id_is_completed ON task (user_id, is_completed);

CREATE FUNCTION task_keep_times() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        NEW.updated_at := clock_timestamp();
    END IF;
    IF NOT NEW.is_completed THEN
        NEW.completed_at := NULL;
    ELSIF TG_OP = 'INSERT' OR NOT OLD.is_completed THEN
        NEW.completed_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER task_times BEFORE INSERT OR UPDATE ON task
    FOR EACH ROW EXECUTE FUNCTION task_keep_times();

CREATE TABLE conversation (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id text NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    title varchar(200),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_conversation_user_id_updated_at ON conversation (user_id, updated_at DESC);

CREATE FUNCTION conversation_keep_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER conversation_time BEFORE UPDATE ON conversation
    FOR EACH ROW EXECUTE FUNCTION conversation_keep_time();

CREATE TABLE message (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    conversation_id uuid NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    user_id text NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    role varchar(20) NOT NULL CONSTRAINT message_role_known CHECK (role IN ('user', 'assistant')),
    content text NOT NULL CONSTRAINT message_content_not_empty CHECK (content <> ''),
    tool_calls jsonb
        CONSTRAINT message_tool_calls_of_assistant CHECK (tool_calls IS NULL OR role = 'assistant'),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_message_conversation_id_created_at ON message (conversation_id, created_at);
"""

_DOWN = """
DROP TABLE message, conversation, task, verification, account, session, "user";
DROP FUNCTION task_keep_times(), conversation_keep_time();
DROP TYPE task_priority;
"""


def _run(script: str) -> None:
    """Run a script statement by statement; the driver takes one at a time. Bodies end in `END $$;`."""
    statement = ""
    for part in script.split(";\n"):
        statement += part
        if statement.count("$$") % 2:
            statement += ";\n"
            continue
        if statement.strip():
            op.execute(statement)
        statement = ""


def upgrade() -> None:
    _run(_UP)


def downgrade() -> None:
    _run(_DOWN)
