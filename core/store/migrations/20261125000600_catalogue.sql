-- What a tenant declares beyond the standard: resource servers with their scopes, and scopes that
-- stand for claims.
CREATE TABLE resource_server (
  tenant {id} NOT NULL,
  id {id} NOT NULL,
  audience {text} NOT NULL,
  definition {text} NOT NULL,
  version {int} NOT NULL,
  created_at {int} NOT NULL,
  updated_at {int} NOT NULL,
  PRIMARY KEY (tenant, id)
) {table};
CREATE UNIQUE INDEX resource_server_audience ON resource_server (tenant, audience);

CREATE TABLE identity_scope (
  tenant {id} NOT NULL,
  id {id} NOT NULL,
  name {text} NOT NULL,
  definition {text} NOT NULL,
  version {int} NOT NULL,
  created_at {int} NOT NULL,
  updated_at {int} NOT NULL,
  PRIMARY KEY (tenant, id)
) {table};
CREATE UNIQUE INDEX identity_scope_name ON identity_scope (tenant, name);

-- The resources that the request asked for (RFC 8707), as a JSON list.
ALTER TABLE oauth_grant ADD COLUMN resources {text};
