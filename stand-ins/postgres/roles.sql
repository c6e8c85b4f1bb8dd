-- Run at every start by the administrator, over the local socket. Variables: role, and password_file, whose content never
-- shows in an argument list. Makes the login role, or gives it today's password.
\set password `tr -d '\n' < "$PASSWORD_FILE"`
SELECT format('CREATE ROLE %I LOGIN', :'role')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
ALTER ROLE :"role" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
