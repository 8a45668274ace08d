-- The secret itself, sealed, only where an assertion is made with it (client_secret_jwt).
ALTER TABLE application_secret ADD COLUMN sealed {bytes};
