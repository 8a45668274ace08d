-- An application listens to the session that its code was given in, whatever its tokens outlive.
DELETE FROM logout_listener WHERE session IS NULL;
ALTER TABLE logout_listener DROP COLUMN offline_epoch;
