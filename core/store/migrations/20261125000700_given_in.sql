-- The session in which an authorization was given, also where it outlives that.
ALTER TABLE oauth_grant ADD COLUMN given_in {id};
UPDATE oauth_grant SET given_in = session WHERE session IS NOT NULL;
