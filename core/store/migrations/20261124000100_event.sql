-- What happened: audit record, outbox and the customer's activity page in one.
-- The number follows the order of becoming visible; consumers follow it, never the id or the clock.
CREATE TABLE event (
    tenant {id} NOT NULL,
    id {id} NOT NULL,
    kind {text} NOT NULL,
    person {id},
    actor {text},
    application {id},
    session {id},
    at {int} NOT NULL,
    data {bytes} NOT NULL,
    number {int},
    PRIMARY KEY (tenant, id)
){table};

CREATE INDEX event_number ON event (number) WHERE number IS NOT NULL;

-- Where the sequencer finds its work; always empty on SQLite.
CREATE INDEX event_unnumbered ON event (id) WHERE number IS NULL;

CREATE INDEX event_person ON event (tenant, person, id) WHERE person IS NOT NULL;

-- One row a batch of numbered events: the hash of the row before and of their stored bytes.
CREATE TABLE event_chain (
    last {int} NOT NULL PRIMARY KEY,
    first {int} NOT NULL,
    previous {bytes} NOT NULL,
    hash {bytes} NOT NULL
){table};

-- The row that whoever numbers events locks. Unused on SQLite, where the writer thread numbers.
CREATE TABLE sequencer (
    name {text} NOT NULL PRIMARY KEY,
    number {int} NOT NULL
){table};

INSERT INTO sequencer (name, number) VALUES ('event', 0);

-- Who may do a job of which there is one at a time, and until when.
CREATE TABLE lease (
    name {text} NOT NULL PRIMARY KEY,
    holder {bytes} NOT NULL,
    until {int} NOT NULL
){table};
