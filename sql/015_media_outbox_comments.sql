-- The comments of 004 said more than is done: nobody compares these times with those of a session in rtpengine.

COMMENT ON COLUMN media_outbox.created_at IS 'When the call ended. The delete is tried for five minutes from then on, and not while a new call has the Call-ID.';
COMMENT ON COLUMN media_outbox.expires_at IS 'When the row is swept away, should nobody have done with it before.';
