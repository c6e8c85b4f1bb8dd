-- Run by the administrator, over the local socket: for each role at every start, and for one that is let in while the
-- server runs. Variable: role. Its password is the first line of standard input, so that it shows in no argument list.
-- Makes the login role, or gives it this password. A role NAME_b has the rights of NAME and no others: with two names for
-- one service, new credentials are let in before the old ones are shut out.
\set password `head -n 1`
SELECT regexp_replace(:'role', '_b$', '') AS base \gset
SELECT format('CREATE ROLE %I NOLOGIN', :'base')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'base') \gexec
SELECT format('CREATE ROLE %I', :'role')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
SELECT format('GRANT %I TO %I', :'base', :'role') WHERE :'base' <> :'role' \gexec
ALTER ROLE :"role" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
