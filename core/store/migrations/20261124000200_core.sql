-- The shared aggregates. Every key leads with the tenant; ids are UUIDv7 in 16 bytes; times are
-- microseconds UTC; nothing refers to another table by foreign key.

CREATE TABLE server (
  name {text} NOT NULL PRIMARY KEY,
  value {text} NOT NULL
) {table};

CREATE TABLE tenant (
  id {id} NOT NULL PRIMARY KEY,
  slug {text} NOT NULL UNIQUE,
  issuer {text} NOT NULL UNIQUE,
  rp_id {text} NOT NULL,
  name {text} NOT NULL,
  state {text} NOT NULL,
  settings {text} NOT NULL,
  sealed_key {bytes} NOT NULL,
  version {int} NOT NULL,
  changed_at {int} NOT NULL,
  created_at {int} NOT NULL
) {table};
CREATE INDEX tenant_changed ON tenant (changed_at);

-- Former issuers stay honoured until their tokens expire.
CREATE TABLE issuer_alias (
  issuer {text} NOT NULL PRIMARY KEY,
  tenant {id} NOT NULL,
  retired_at {int} NOT NULL
) {table};

CREATE TABLE application (
  tenant {id} NOT NULL,
  id {id} NOT NULL,
  client_id {text} NOT NULL,
  name {text} NOT NULL,
  state {text} NOT NULL,
  metadata {text} NOT NULL,
  version {int} NOT NULL,
  created_at {int} NOT NULL,
  updated_at {int} NOT NULL,
  PRIMARY KEY (tenant, id)
) {table};
CREATE UNIQUE INDEX application_client_id ON application (tenant, client_id);

CREATE TABLE application_secret (
  tenant {id} NOT NULL,
  application {id} NOT NULL,
  id {id} NOT NULL,
  mac {bytes} NOT NULL,
  key_version {int} NOT NULL,
  created_at {int} NOT NULL,
  expires_at {int},
  PRIMARY KEY (tenant, application, id)
) {table};

CREATE TABLE person (
  tenant {id} NOT NULL,
  id {id} NOT NULL,
  state {text} NOT NULL,
  epoch {int} NOT NULL,
  offline_epoch {int} NOT NULL,
  locale {text},
  attributes {text} NOT NULL,
  sealed_attributes {bytes},
  sealed_key {bytes},
  version {int} NOT NULL,
  created_at {int} NOT NULL,
  updated_at {int} NOT NULL,
  PRIMARY KEY (tenant, id)
) {table};

CREATE TABLE tombstone (
  tenant {id} NOT NULL,
  id {id} NOT NULL,
  deleted_at {int} NOT NULL,
  erased_at {int},
  PRIMARY KEY (tenant, id)
) {table};
CREATE INDEX tombstone_open ON tombstone (deleted_at) WHERE erased_at IS NULL;

-- A row with held_until belongs to nobody: the name of a deleted account, not yet given again.
CREATE TABLE identifier (
  tenant {id} NOT NULL,
  kind {text} NOT NULL,
  normal {text} NOT NULL,
  typed {text} NOT NULL,
  norm_version {int} NOT NULL,
  person {id} NOT NULL,
  proof {text},
  proven_at {int},
  held_until {int},
  created_at {int} NOT NULL,
  PRIMARY KEY (tenant, kind, normal)
) {table};
CREATE INDEX identifier_person ON identifier (tenant, person);

CREATE TABLE subject (
  tenant {id} NOT NULL,
  sub {text} NOT NULL,
  person {id} NOT NULL,
  created_at {int} NOT NULL,
  PRIMARY KEY (tenant, sub)
) {table};
CREATE INDEX subject_person ON subject (tenant, person);

CREATE TABLE subject_given (
  tenant {id} NOT NULL,
  mac {bytes} NOT NULL,
  PRIMARY KEY (tenant, mac)
) {table};

CREATE TABLE external_id (
  tenant {id} NOT NULL,
  source {text} NOT NULL,
  value {text} NOT NULL,
  person {id} NOT NULL,
  created_at {int} NOT NULL,
  PRIMARY KEY (tenant, source, value)
) {table};
CREATE INDEX external_id_person ON external_id (tenant, person);

CREATE TABLE search_text (
  tenant {id} NOT NULL,
  text {text} NOT NULL,
  person {id} NOT NULL,
  PRIMARY KEY (tenant, text, person)
) {table};
CREATE INDEX search_text_person ON search_text (tenant, person);

CREATE TABLE credential (
  tenant {id} NOT NULL,
  person {id} NOT NULL,
  id {id} NOT NULL,
  kind {text} NOT NULL,
  data {bytes} NOT NULL,
  state {text} NOT NULL,
  version {int} NOT NULL,
  created_at {int} NOT NULL,
  changed_at {int} NOT NULL,
  used_at {int},
  PRIMARY KEY (tenant, person, id)
) {table};
CREATE UNIQUE INDEX credential_password ON credential (tenant, person) WHERE kind = 'password';

CREATE TABLE known_device (
  tenant {id} NOT NULL,
  person {id} NOT NULL,
  device {bytes} NOT NULL,
  first_at {int} NOT NULL,
  last_at {int} NOT NULL,
  PRIMARY KEY (tenant, person, device)
) {table};

CREATE TABLE session (
  tenant {id} NOT NULL,
  id {id} NOT NULL,
  person {id} NOT NULL,
  epoch {int} NOT NULL,
  secret {bytes} NOT NULL,
  previous_secret {bytes},
  previous_until {int},
  device {bytes} NOT NULL,
  facts {text} NOT NULL,
  auth_time {int} NOT NULL,
  origin {bytes} NOT NULL,
  created_at {int} NOT NULL,
  seen_at {int} NOT NULL,
  expires_at {int} NOT NULL,
  ended_at {int},
  version {int} NOT NULL,
  PRIMARY KEY (tenant, id)
) {table};
CREATE INDEX session_person ON session (tenant, person);
CREATE INDEX session_expiry ON session (expires_at);

CREATE TABLE consent (
  tenant {id} NOT NULL,
  person {id} NOT NULL,
  application {id} NOT NULL,
  scopes {text} NOT NULL,
  claims {text} NOT NULL,
  given_at {int} NOT NULL,
  version {int} NOT NULL,
  PRIMARY KEY (tenant, person, application)
) {table};

-- One authorization. Codes, refresh tokens and opaque access tokens are handles of this row.
CREATE TABLE oauth_grant (
  tenant {id} NOT NULL,
  id {id} NOT NULL,
  person {id} NOT NULL,
  application {id} NOT NULL,
  session {id},
  epoch {int} NOT NULL,
  offline_epoch {int} NOT NULL,
  scopes {text} NOT NULL,
  claims {text} NOT NULL,
  facts {text} NOT NULL,
  state {text} NOT NULL,
  code {bytes},
  code_until {int},
  code_redeemed_at {int},
  redirect_uri {text},
  challenge {text},
  nonce {text},
  refresh_number {int} NOT NULL,
  refreshed_at {int},
  refresh_key {int},
  confirmation {text},
  created_at {int} NOT NULL,
  expires_at {int} NOT NULL,
  version {int} NOT NULL,
  PRIMARY KEY (tenant, id)
) {table};
CREATE INDEX oauth_grant_person ON oauth_grant (tenant, person);
CREATE INDEX oauth_grant_session ON oauth_grant (tenant, session) WHERE session IS NOT NULL;
CREATE INDEX oauth_grant_expiry ON oauth_grant (expires_at);

CREATE TABLE revoked_token (
  tenant {id} NOT NULL,
  jti {text} NOT NULL,
  expires_at {int} NOT NULL,
  PRIMARY KEY (tenant, jti)
) {table};

-- One GCRA time for each of (kind, person or normal identifier) and device or none.
CREATE TABLE attempt (
  tenant {id} NOT NULL,
  subject {bytes} NOT NULL,
  device {bytes} NOT NULL,
  due {int} NOT NULL,
  PRIMARY KEY (tenant, subject, device)
) {table};
CREATE INDEX attempt_due ON attempt (due);

CREATE TABLE flow (
  tenant {id} NOT NULL,
  id {id} NOT NULL,
  browser {bytes} NOT NULL,
  intent {bytes} NOT NULL,
  facts {bytes} NOT NULL,
  state {text} NOT NULL,
  unit {id} NOT NULL,
  version {int} NOT NULL,
  created_at {int} NOT NULL,
  expires_at {int} NOT NULL,
  PRIMARY KEY (tenant, id)
) {table};
CREATE INDEX flow_expiry ON flow (expires_at);

CREATE TABLE challenge (
  tenant {id} NOT NULL,
  id {id} NOT NULL,
  flow {id} NOT NULL,
  purpose {text} NOT NULL,
  target {bytes} NOT NULL,
  code {bytes} NOT NULL,
  key_version {int} NOT NULL,
  link {bytes} NOT NULL,
  tries {int} NOT NULL,
  state {text} NOT NULL,
  created_at {int} NOT NULL,
  expires_at {int} NOT NULL,
  PRIMARY KEY (tenant, id)
) {table};
CREATE INDEX challenge_flow ON challenge (tenant, flow);
CREATE INDEX challenge_expiry ON challenge (expires_at);

-- The request of a POST from another site, too long for a redirect.
CREATE TABLE parked_request (
  tenant {id} NOT NULL,
  id {id} NOT NULL,
  body {bytes} NOT NULL,
  expires_at {int} NOT NULL,
  PRIMARY KEY (tenant, id)
) {table};
CREATE INDEX parked_request_expiry ON parked_request (expires_at);

-- Signing keys (purpose 'sign') and HMAC keys (one a purpose, versioned), sealed.
CREATE TABLE key_material (
  tenant {id} NOT NULL,
  id {id} NOT NULL,
  purpose {text} NOT NULL,
  algorithm {text} NOT NULL,
  version {int} NOT NULL,
  state {text} NOT NULL,
  sealed {bytes} NOT NULL,
  public {text},
  created_at {int} NOT NULL,
  changed_at {int} NOT NULL,
  PRIMARY KEY (tenant, id)
) {table};
CREATE UNIQUE INDEX key_material_version ON key_material (tenant, purpose, algorithm, version);

CREATE TABLE mail (
  tenant {id} NOT NULL,
  id {id} NOT NULL,
  state {text} NOT NULL,
  body {bytes},
  tries {int} NOT NULL,
  due_at {int} NOT NULL,
  leased_until {int},
  created_at {int} NOT NULL,
  expires_at {int} NOT NULL,
  trouble {text},
  PRIMARY KEY (tenant, id)
) {table};
CREATE INDEX mail_due ON mail (due_at) WHERE state = 'queued';
CREATE INDEX mail_expiry ON mail (expires_at);
