-- Nodes tell each other of accounts that are shut, too.

COMMENT ON COLUMN change.content IS 'What has changed: kind (registered, closed, account-closed, watched, stored or call) and what belongs to it, as in src/ports/nodes.ts.';
