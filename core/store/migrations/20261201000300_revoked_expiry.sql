-- Which revoked tokens have expired is asked every two seconds.
CREATE INDEX revoked_token_expiry ON revoked_token (expires_at);
{sqlite} INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('revoked_token', 'revoked_token_expiry', '100000 1');
