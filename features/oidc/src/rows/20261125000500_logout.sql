-- Who is to be told when a session ends: an application that redeemed a code in it and has
-- registered a logout address. The anchor is the session or, where the grant outlives sessions, the
-- person.
CREATE TABLE logout_listener (
  tenant {id} NOT NULL,
  anchor {id} NOT NULL,
  application {id} NOT NULL,
  id {id} NOT NULL,
  person {id} NOT NULL,
  session {id},
  subject {text} NOT NULL,
  offline_epoch {int} NOT NULL,
  expires_at {int} NOT NULL,
  PRIMARY KEY (tenant, anchor, application)
) {table};
CREATE INDEX logout_listener_person ON logout_listener (tenant, person);
CREATE INDEX logout_listener_expiry ON logout_listener (expires_at);

-- Logout tokens on their way, leased by whoever delivers; gone once delivered. The id is the jti.
CREATE TABLE logout_notice (
  tenant {id} NOT NULL,
  id {id} NOT NULL,
  application {id} NOT NULL,
  session {id},
  subject {text} NOT NULL,
  tries {int} NOT NULL,
  due_at {int} NOT NULL,
  leased_until {int},
  mark {text},
  created_at {int} NOT NULL,
  expires_at {int} NOT NULL,
  PRIMARY KEY (tenant, id)
) {table};
CREATE INDEX logout_notice_due ON logout_notice (due_at);

-- How far the events have been followed.
CREATE TABLE logout_follower (
  name {text} NOT NULL PRIMARY KEY,
  number {int} NOT NULL,
  unit {id}
) {table};

INSERT INTO logout_follower (name, number) VALUES ('event', 0);
