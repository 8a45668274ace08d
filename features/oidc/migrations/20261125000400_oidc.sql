-- Assertions by which an application has authenticated: each works once.
CREATE TABLE used_assertion (
  tenant {id} NOT NULL,
  application {id} NOT NULL,
  jti {bytes} NOT NULL,
  unit {id} NOT NULL,
  expires_at {int} NOT NULL,
  PRIMARY KEY (tenant, application, jti)
) {table};
CREATE INDEX used_assertion_expiry ON used_assertion (tenant, application, expires_at);

-- Applications that registered themselves, with the hash of the token that manages each.
CREATE TABLE registered_application (
  tenant {id} NOT NULL,
  application {id} NOT NULL,
  token {bytes} NOT NULL,
  created_at {int} NOT NULL,
  PRIMARY KEY (tenant, application)
) {table};

-- What lets somebody register an application where that is not open to all.
CREATE TABLE initial_access (
  tenant {id} NOT NULL,
  id {id} NOT NULL,
  token {bytes} NOT NULL,
  uses_left {int} NOT NULL,
  created_at {int} NOT NULL,
  expires_at {int} NOT NULL,
  PRIMARY KEY (tenant, id)
) {table};
