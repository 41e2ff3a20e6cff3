-- Failed calls, so that they can be explained after a restart: what `viaduct explain` and the pages read.

CREATE TABLE failed_call (
  id            text COLLATE "C" PRIMARY KEY,
  call_id       text COLLATE "C" NOT NULL,
  node          text COLLATE "C" NOT NULL,
  from_uri      text NOT NULL,
  to_uri        text NOT NULL,
  started_at    timestamptz NOT NULL,
  ended_at      timestamptz NOT NULL,
  status        integer,
  code          text,
  story         text NOT NULL
);

CREATE INDEX failed_call_started_at ON failed_call (started_at DESC, id);
CREATE INDEX failed_call_ended_at ON failed_call (ended_at);

COMMENT ON TABLE failed_call IS 'Calls that were refused, or ended by Viaduct; removed a week after their end. Written behind the call, so a few may be missing after a crash.';
COMMENT ON COLUMN failed_call.id IS 'Public id: base64url of a hash of the Call-ID. A later call with the same Call-ID replaces it.';
COMMENT ON COLUMN failed_call.call_id IS 'Call-ID of its INVITE.';
COMMENT ON COLUMN failed_call.node IS 'Viaduct node that handled it.';
COMMENT ON COLUMN failed_call.from_uri IS 'Who called.';
COMMENT ON COLUMN failed_call.to_uri IS 'Who was called.';
COMMENT ON COLUMN failed_call.started_at IS 'When the INVITE came.';
COMMENT ON COLUMN failed_call.ended_at IS 'When it had its final response, or its BYE from us.';
COMMENT ON COLUMN failed_call.status IS 'SIP status that the caller got; NULL when none was sent.';
COMMENT ON COLUMN failed_call.code IS 'Row of errors.ts by which Viaduct refused or ended it; NULL when somebody else did.';
COMMENT ON COLUMN failed_call.story IS 'What passed, as JSON in ASCII (a byte of a message is one character), without credentials.';
