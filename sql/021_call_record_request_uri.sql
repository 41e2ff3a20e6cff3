-- What the caller dialled: To is text of his own, by which nobody is found and nobody should be billed (RFC 3261 §8.1.1.2).

ALTER TABLE call_record ADD COLUMN request_uri text;

COMMENT ON COLUMN call_record.request_uri IS 'Request-URI of its INVITE as the caller sent it: what was dialled, whatever To says; NULL: a restart took the call up, or it is older than this column.';
COMMENT ON COLUMN call_record.to_uri IS 'Who was called, as its To said; the caller may write there what he likes, see request_uri.';
COMMENT ON COLUMN call_record.to_aor IS 'The account whose device answered, in canonical form; else what was dialled.';
