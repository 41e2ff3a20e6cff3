-- An account can be shut without forgetting it.

ALTER TABLE subscriber ADD COLUMN disabled boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN subscriber.disabled IS 'Whether the account is shut: it cannot log in, and is to others as one that does not exist.';
