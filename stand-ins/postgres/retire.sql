-- Run by the administrator, over the local socket. Variable: role. It keeps its rights and may no longer sign in; its
-- sessions end.
ALTER ROLE :"role" WITH NOLOGIN PASSWORD NULL;
SELECT count(pg_terminate_backend(pid)) AS ended FROM pg_stat_activity WHERE usename = :'role';
