-- SQLite knows nothing of how many rows a table has, and takes any index that begins with the tenant for as good as
-- one that names a person: it read all identifiers of a tenant for those of one person. These figures are those of
-- a large installation with one tenant, and stay; nothing ever analyses an embedded database.
{sqlite} ANALYZE;
{sqlite} DELETE FROM sqlite_stat1;
{sqlite} INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('person', 'person', '1000000 1000000 1'),
    ('person', 'person_suspended', '1000 1000 1'),
    ('identifier', 'identifier', '1000000 1000000 500000 1'),
    ('identifier', 'identifier_person', '1000000 1000000 2'),
    ('subject', 'subject', '1000000 1000000 1'),
    ('subject', 'subject_person', '1000000 1000000 1'),
    ('subject_given', 'subject_given', '1000000 1000000 1'),
    ('external_id', 'external_id', '1000000 1000000 500000 1'),
    ('external_id', 'external_id_person', '1000000 1000000 2'),
    ('search_text', 'search_text', '4000000 4000000 4 1'),
    ('search_text', 'search_text_person', '4000000 4000000 4'),
    ('credential', 'credential', '1000000 1000000 2 1'),
    ('credential', 'credential_password', '1000000 1000000 1'),
    ('known_device', 'known_device', '1000000 1000000 3 1'),
    ('session', 'session', '1000000 1000000 1'),
    ('session', 'session_person', '1000000 1000000 3'),
    ('session', 'session_expiry', '1000000 1'),
    ('oauth_grant', 'oauth_grant', '1000000 1000000 1'),
    ('oauth_grant', 'oauth_grant_person', '1000000 1000000 5'),
    ('oauth_grant', 'oauth_grant_session', '1000000 1000000 3'),
    ('oauth_grant', 'oauth_grant_expiry', '1000000 1'),
    ('consent', 'consent', '1000000 1000000 3 1'),
    ('event', 'event', '10000000 10000000 1'),
    ('event', 'event_person', '10000000 10000000 20 1'),
    ('event', 'event_number', '10000000 1');
-- Connections that are open read the figures when the schema changes.
{sqlite} CREATE VIEW figures AS SELECT 1;
{sqlite} DROP VIEW figures;
