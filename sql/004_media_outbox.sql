-- Deletes of whole media sessions that rtpengine has not confirmed yet (DESIGN §4).

CREATE TABLE media_outbox (
  call_id     text COLLATE "C" NOT NULL,
  media_node  text COLLATE "C" NOT NULL,
  created_at  timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  PRIMARY KEY (call_id, media_node)
);

COMMENT ON TABLE media_outbox IS 'Media sessions to be deleted at an rtpengine node that did not answer, so that a restart of ours forgets none.';
COMMENT ON COLUMN media_outbox.call_id IS 'Call-ID of the session; all of it is deleted.';
COMMENT ON COLUMN media_outbox.media_node IS 'rtpengine node that holds the session.';
COMMENT ON COLUMN media_outbox.created_at IS 'When the call ended; a session made later under the same Call-ID is another call and must not be deleted.';
COMMENT ON COLUMN media_outbox.expires_at IS 'When nobody tries any more, because rtpengine has ended a silent session by itself.';
