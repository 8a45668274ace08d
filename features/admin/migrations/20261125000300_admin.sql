-- Keys for the admin API. Only the hash of a key's secret is kept.
CREATE TABLE api_key (
  tenant {id} NOT NULL,
  id {id} NOT NULL,
  name {text} NOT NULL,
  secret {bytes} NOT NULL,
  scopes {text} NOT NULL,
  created_at {int} NOT NULL,
  expires_at {int},
  used_at {int},
  revoked_at {int},
  version {int} NOT NULL,
  PRIMARY KEY (tenant, id)
) {table};

-- People whose access tokens open the admin API, with the most that these may do.
CREATE TABLE administrator (
  tenant {id} NOT NULL,
  person {id} NOT NULL,
  scopes {text} NOT NULL,
  created_at {int} NOT NULL,
  version {int} NOT NULL,
  PRIMARY KEY (tenant, person)
) {table};

-- What a creation answered, for a repeat under the same Idempotency-Key. The answer is sealed.
CREATE TABLE api_answer (
  tenant {id} NOT NULL,
  key {bytes} NOT NULL,
  request {bytes} NOT NULL,
  answer {bytes} NOT NULL,
  expires_at {int} NOT NULL,
  PRIMARY KEY (tenant, key)
) {table};
CREATE INDEX api_answer_expiry ON api_answer (expires_at);
