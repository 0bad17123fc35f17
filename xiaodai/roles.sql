-- The two logins and the database, once per server, by a superuser or a role with CREATEROLE and CREATEDB:
--   psql -v owner=PASSWORD -v app=PASSWORD -f xiaodai/roles.sql postgres
-- Safe to run again. The embedded server runs this file too. See docs/operations for a server of your own.
SELECT format('CREATE ROLE xiaodai_owner LOGIN CREATEROLE NOINHERIT PASSWORD %L', :'owner')
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'xiaodai_owner') \gexec
GRANT xiaodai_owner TO CURRENT_USER;
SELECT 'CREATE DATABASE xiaodai OWNER xiaodai_owner'
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'xiaodai') \gexec
\connect xiaodai
SET ROLE pg_database_owner;  -- on PostgreSQL 15 a NOINHERIT owner has no right to the schema public except by this
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SET ROLE xiaodai_owner;
REVOKE ALL ON DATABASE xiaodai FROM PUBLIC;
SELECT format('CREATE ROLE xiaodai_app LOGIN NOINHERIT PASSWORD %L', :'app')
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'xiaodai_app') \gexec
GRANT CONNECT ON DATABASE xiaodai TO xiaodai_app;
