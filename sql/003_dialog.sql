-- Dialog records of answered calls: what a node needs after a restart to route, move and end them (DESIGN §5).

CREATE TABLE dialog (
  call_id      text COLLATE "C" NOT NULL,
  caller_tag   text COLLATE "C" NOT NULL,
  callee_tag   text COLLATE "C" NOT NULL,
  node         text COLLATE "C" NOT NULL,
  media_node   text,
  answered_at  timestamptz NOT NULL,
  caller       jsonb NOT NULL,
  callee       jsonb NOT NULL,
  updated_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (call_id, caller_tag, callee_tag)
) WITH (fillfactor = 80);

CREATE INDEX dialog_node ON dialog (node);

COMMENT ON TABLE dialog IS 'Calls that are answered and have not ended: one row from the 2xx to the end. SDPs are not kept.';
COMMENT ON COLUMN dialog.call_id IS 'Call-ID of the dialog.';
COMMENT ON COLUMN dialog.caller_tag IS 'From tag of the INVITE.';
COMMENT ON COLUMN dialog.callee_tag IS 'To tag of the 2xx; each answering branch of a fork has its own row.';
COMMENT ON COLUMN dialog.node IS 'Viaduct node that holds the record in memory and loads it again when it starts.';
COMMENT ON COLUMN dialog.media_node IS 'rtpengine node of its media session; NULL when media does not pass one.';
COMMENT ON COLUMN dialog.answered_at IS 'When the 2xx passed.';
COMMENT ON COLUMN dialog.caller IS 'The side that sent the INVITE: uri, tag, remoteTarget, routeSet, cseq, flowId, binding, media, listener.';
COMMENT ON COLUMN dialog.callee IS 'The side that answered, with the same members.';
COMMENT ON COLUMN dialog.updated_at IS 'When the row was last written.';
