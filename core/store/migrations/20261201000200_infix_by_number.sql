-- A text that is searched for gets a number of its own on SQLite, under which the index of its trigrams holds it: one
-- that goes is found at once (it was sought by its trigrams, among all that share them), and the index keeps no
-- second copy of texts, tenants and people.
{sqlite} CREATE TABLE search_text_numbered (
  id INTEGER PRIMARY KEY,
  tenant BLOB NOT NULL,
  text TEXT NOT NULL,
  person BLOB NOT NULL
) STRICT;
{sqlite} INSERT INTO search_text_numbered (tenant, text, person) SELECT tenant, text, person FROM search_text;
{sqlite} DROP TABLE search_text;
{sqlite} DROP TABLE search_infix;
{sqlite} ALTER TABLE search_text_numbered RENAME TO search_text;
{sqlite} CREATE UNIQUE INDEX search_text_text ON search_text (tenant, text, person);
{sqlite} CREATE INDEX search_text_person ON search_text (tenant, person);
{sqlite} CREATE VIRTUAL TABLE search_infix USING fts5(text, content = 'search_text', content_rowid = 'id', columnsize = 0, tokenize = 'trigram case_sensitive 1');
-- What is deleted is overwritten here too.
{sqlite} INSERT INTO search_infix (search_infix, rank) VALUES ('secure-delete', 1);
{sqlite} INSERT INTO search_infix (search_infix) VALUES ('rebuild');
{sqlite} CREATE TRIGGER search_infix_added AFTER INSERT ON search_text BEGIN
    INSERT INTO search_infix (rowid, text) VALUES (new.id, new.text);
END;
{sqlite} CREATE TRIGGER search_infix_removed AFTER DELETE ON search_text BEGIN
    INSERT INTO search_infix (search_infix, rowid, text) VALUES ('delete', old.id, old.text);
END;
{sqlite} INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('search_text', 'search_text_text', '4000000 4000000 4 1'),
    ('search_text', 'search_text_person', '4000000 4000000 4');
-- Connections that are open read the figures when the schema changes.
{sqlite} CREATE VIEW figures AS SELECT 1;
{sqlite} DROP VIEW figures;
