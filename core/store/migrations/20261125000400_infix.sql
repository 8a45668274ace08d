-- People are found by any three letters in a row of their identifiers and names.
{postgres} CREATE EXTENSION IF NOT EXISTS pg_trgm;
{postgres} CREATE INDEX search_text_infix ON search_text USING gin (text gin_trgm_ops);

{sqlite} CREATE VIRTUAL TABLE search_infix USING fts5(text, tenant UNINDEXED, person UNINDEXED, tokenize = 'trigram case_sensitive 1');
-- What is deleted is overwritten here too.
{sqlite} INSERT INTO search_infix (search_infix, rank) VALUES ('secure-delete', 1);
{sqlite} INSERT INTO search_infix (text, tenant, person) SELECT text, tenant, person FROM search_text WHERE length(text) >= 3;
{sqlite} CREATE TRIGGER search_infix_added AFTER INSERT ON search_text WHEN length(new.text) >= 3 BEGIN
    INSERT INTO search_infix (text, tenant, person) VALUES (new.text, new.tenant, new.person);
END;
-- GLOB goes by the trigrams; every sign of the text means itself.
{sqlite} CREATE TRIGGER search_infix_removed AFTER DELETE ON search_text WHEN length(old.text) >= 3 BEGIN
    DELETE FROM search_infix WHERE rowid IN (SELECT rowid FROM search_infix
        WHERE text GLOB replace(replace(replace(old.text, '[', '[[]'), '*', '[*]'), '?', '[?]')
        AND tenant = old.tenant AND person = old.person);
END;
