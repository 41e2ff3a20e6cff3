-- Temporary GRUUs (RFC 5627): from which REGISTER on they are good. They name their device by themselves, enciphered, so
-- there is nothing else to keep.

ALTER TABLE location ADD COLUMN gruu_cseq bigint CHECK (gruu_cseq BETWEEN 0 AND 4294967295);

COMMENT ON COLUMN location.gruu_cseq IS 'CSeq number of the REGISTER under call_id since which the device has temporary GRUUs that are still good; NULL: it asked for none.';
