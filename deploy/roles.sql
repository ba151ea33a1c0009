-- The database and its logins, once, by psql as a superuser. Passwords are in files, so that no log and no list of processes has
-- them: SECRETS is their folder.
\set ON_ERROR_STOP on
\set owner_password `cat "${SECRETS:-/run/secrets}/owner_password"`
\set agents_password `cat "${SECRETS:-/run/secrets}/agents_password"`
\set gateway_password `cat "${SECRETS:-/run/secrets}/gateway_password"`

-- Owns the tables, and makes their roles as they come ("trade-agent gateway migrate").
CREATE ROLE trade_agent_owner LOGIN CREATEROLE PASSWORD :'owner_password';
CREATE DATABASE trade_agent OWNER trade_agent_owner;
-- What the gateways sign in by. Its rights are those of the role, which the tables give out when they are made.
CREATE ROLE trade_agent_gateway_app NOLOGIN;
CREATE ROLE gateway LOGIN PASSWORD :'gateway_password' IN ROLE trade_agent_gateway_app;

-- The same for the agent's server and its workers ("trade-agent server migrate"), in a database of their own.
CREATE DATABASE trade_agent_server OWNER trade_agent_owner;
CREATE ROLE trade_agent_state_app NOLOGIN;
CREATE ROLE agents LOGIN PASSWORD :'agents_password' IN ROLE trade_agent_state_app;
