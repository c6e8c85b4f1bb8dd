#!/bin/sh
# Starts PostgreSQL as the stand-in for Neon. Repeatable: a first start initialises, every start sets the roles.
#
#   /etc/postgres/tls/{tls.crt,tls.key}  the server's certificate and key (Secret)
#   /etc/postgres/roles/NAME             one file per role that may sign in, its content the password (Secret)
#   /var/lib/postgresql/data             the volume
#   /tmp                                 writable: socket, key
#   POSTGRES_DATABASE, POSTGRES_OWNER    the database and the role that owns it (default: todo, todo_owner)
set -eu
umask 077
database=${POSTGRES_DATABASE:-todo}
owner=${POSTGRES_OWNER:-todo_owner}
roles=/etc/postgres/roles
run=/tmp/todo-postgres

fail() {
    echo "postgres: $1" >&2
    exit 1
}

[ -r /etc/postgres/tls/tls.key ] || fail "no readable key; wanted: /etc/postgres/tls/tls.key from a Secret"
[ -r "$roles/$owner" ] || fail "no password for the owner; wanted: $roles/$owner from a Secret"

# The server refuses a key that others could read, as a mounted one is.
rm -rf "$run"
mkdir "$run"
cp -L /etc/postgres/tls/tls.crt /etc/postgres/tls/tls.key "$run/"
chmod 600 "$run/tls.key"

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # A start that was cut short left an unfinished folder; only a finished one gets its name.
    rm -rf "$PGDATA.new"
    initdb --pgdata="$PGDATA.new" --username=postgres --auth=peer --encoding=UTF8 --locale-provider=builtin --locale=C.UTF-8 \
        --data-checksums --no-instructions >/dev/null
    mv "$PGDATA.new" "$PGDATA"
fi
cp /etc/todo-postgres/postgresql.conf "$PGDATA/postgresql.conf"

as_administrator() {
    psql --host="$run" --username=postgres --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "$@"
}

# Roles first, over the socket alone, so that nobody can connect to a half-made database.
pg_ctl --pgdata="$PGDATA" --options="-c listen_addresses=''" --silent --wait start
for file in "$roles"/*; do
    as_administrator --dbname=postgres --set=role="${file##*/}" --file=/etc/todo-postgres/roles.sql <"$file"
done
# Whoever has no password any more may not sign in; the rights stay, for the other name of the same service.
for role in $(as_administrator --dbname=postgres --tuples-only --no-align \
    --command="SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname <> 'postgres'"); do
    [ -r "$roles/$role" ] || as_administrator --dbname=postgres --set=role="$role" --file=/etc/todo-postgres/retire.sql
done
as_administrator --dbname=postgres --set=database="$database" --set=owner="$owner" <<'SQL'
SELECT format('CREATE DATABASE %I', :'database')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
ALTER DATABASE :"database" OWNER TO :"owner";
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
SQL
for file in "$roles"/*; do
    role=${file##*/}
    as_administrator --dbname="$database" --set=database="$database" --set=role="${role%_b}" <<'SQL'
GRANT CONNECT ON DATABASE :"database" TO :"role";
REVOKE TEMPORARY ON DATABASE :"database" FROM :"role";
GRANT USAGE ON SCHEMA public TO :"role";
SQL
done
pg_ctl --pgdata="$PGDATA" --silent --wait --mode=fast stop

exec postgres -D "$PGDATA" "$@"
