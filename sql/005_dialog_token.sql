-- A call that passes us twice (a spiral) has one dialog record for each pass: they share Call-ID and tags, not the token.

ALTER TABLE dialog ADD COLUMN token text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE dialog DROP CONSTRAINT dialog_pkey;
ALTER TABLE dialog ADD PRIMARY KEY (call_id, caller_tag, callee_tag, token);

COMMENT ON COLUMN dialog.token IS 'User part of our Record-Route in this pass of the call; empty in rows of before it was noted.';
