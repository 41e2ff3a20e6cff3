-- The Viaducts over this database, where they are many (NODE_ADDRESS).

CREATE TABLE node (
  id          text COLLATE "C" PRIMARY KEY,
  boot        text NOT NULL,
  address     text NOT NULL,
  started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);

COMMENT ON TABLE node IS 'Nodes that share this database: each one writes its row anew every two seconds, and removes it when it stops in order.';
COMMENT ON COLUMN node.id IS 'Name of the node, kept in its DATA_DIR; what stands in location.node, dialog.node and subscription.node.';
COMMENT ON COLUMN node.boot IS 'Start of that node; the connections of an older start are dead.';
COMMENT ON COLUMN node.address IS 'Where other nodes reach it over SIP, as in NODE_ADDRESS: transport, colon, address, colon, port.';
COMMENT ON COLUMN node.started_at IS 'When this start of it said so first, by the clock of the database.';
COMMENT ON COLUMN node.seen_at IS 'When it said last that it is there, by the clock of the database. After ten seconds of silence it counts as gone.';

CREATE TABLE change (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  node     text NOT NULL,
  content  jsonb NOT NULL,
  made_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX change_made_at ON change (made_at);

COMMENT ON TABLE change IS 'What nodes tell each other; each one reads it twice in a second. A row is of no use after ten seconds, and is removed by the sweeper after a minute.';
COMMENT ON COLUMN change.id IS 'Orders the changes of one node.';
COMMENT ON COLUMN change.node IS 'Which node tells it.';
COMMENT ON COLUMN change.content IS 'What has changed: kind (registered, closed, watched, stored or call) and what belongs to it, as in src/ports/nodes.ts.';
COMMENT ON COLUMN change.made_at IS 'When, by the clock of the database.';
