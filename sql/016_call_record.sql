-- One row per ended call (DESIGN §5), written behind its end. Failed calls have their story besides (failed_call).
--
-- Old rows are found by started_at, which is indexed for the list anyway: one index less to write.

CREATE TABLE call_record (
  id                    text COLLATE "C" NOT NULL,
  started_at            timestamptz NOT NULL,
  call_id               text COLLATE "C" NOT NULL,
  node                  text COLLATE "C" NOT NULL,
  from_uri              text NOT NULL,
  to_uri                text NOT NULL,
  from_aor              text COLLATE "C" NOT NULL,
  to_aor                text COLLATE "C" NOT NULL,
  answered_at           timestamptz,
  ended_at              timestamptz NOT NULL,
  state                 text NOT NULL CHECK (state IN ('ended', 'failed')),
  ended_by              text CHECK (ended_by IN ('caller', 'callee', 'viaduct')),
  status                integer,
  code                  text,
  detail                text NOT NULL DEFAULT '',
  media_node            text,
  media_fault           text,
  media_fault_says      text,
  media_fault_next_step text,
  recording             text CHECK (recording IN ('on', 'paused', 'off')),
  caller_profile        text CHECK (caller_profile IN ('webrtc', 'rtp', 'sdes', 'osrtp')),
  caller_packets        bigint,
  caller_bytes          bigint,
  caller_mos            double precision CHECK (caller_mos BETWEEN 0 AND 5),
  caller_jitter_ms      double precision,
  caller_loss_percent   double precision,
  caller_lost           bigint,
  caller_round_trip_ms  double precision,
  caller_no_quality     text,
  callee_profile        text CHECK (callee_profile IN ('webrtc', 'rtp', 'sdes', 'osrtp')),
  callee_packets        bigint,
  callee_bytes          bigint,
  callee_mos            double precision CHECK (callee_mos BETWEEN 0 AND 5),
  callee_jitter_ms      double precision,
  callee_loss_percent   double precision,
  callee_lost           bigint,
  callee_round_trip_ms  double precision,
  callee_no_quality     text,
  PRIMARY KEY (id, started_at)
);

CREATE INDEX call_record_started_at ON call_record (started_at DESC, id);
CREATE INDEX call_record_from_aor ON call_record (from_aor, started_at DESC);
CREATE INDEX call_record_to_aor ON call_record (to_aor, started_at DESC);

COMMENT ON TABLE call_record IS 'Ended calls, removed CALL_RECORD_DAYS after they began. Written within a fraction of a second of the end; those of that moment may be missing after a crash.';
COMMENT ON COLUMN call_record.id IS 'Public id: base64url of a hash of the Call-ID. A later call with the same Call-ID has the same id.';
COMMENT ON COLUMN call_record.started_at IS 'When the INVITE came; of a call that a restart took up, when it was answered.';
COMMENT ON COLUMN call_record.call_id IS 'Call-ID of its INVITE.';
COMMENT ON COLUMN call_record.node IS 'Viaduct node that handled it.';
COMMENT ON COLUMN call_record.from_uri IS 'Who called, as its From said.';
COMMENT ON COLUMN call_record.to_uri IS 'Who was called, as its To said.';
COMMENT ON COLUMN call_record.from_aor IS 'The caller in canonical form, sip:user@domain.';
COMMENT ON COLUMN call_record.to_aor IS 'The account whose device answered, in canonical form; else who was called.';
COMMENT ON COLUMN call_record.answered_at IS 'When the 2xx passed; NULL: nobody answered.';
COMMENT ON COLUMN call_record.ended_at IS 'When it had its final response, or the BYE was through.';
COMMENT ON COLUMN call_record.state IS 'failed: refused by anybody, or ended by Viaduct; ended: all others, also what its caller gave up.';
COMMENT ON COLUMN call_record.ended_by IS 'Who hung up: caller (or cancelled), callee or viaduct; NULL: nobody, it was refused.';
COMMENT ON COLUMN call_record.status IS 'SIP status that the caller got last; NULL when none was sent.';
COMMENT ON COLUMN call_record.code IS 'Row of errors.ts by which Viaduct refused or ended it; NULL when somebody else did.';
COMMENT ON COLUMN call_record.detail IS 'What that row says of this call besides; empty where nothing is to be said.';
COMMENT ON COLUMN call_record.media_node IS 'rtpengine node of its media; NULL when media did not pass one.';
COMMENT ON COLUMN call_record.media_fault IS 'What was wrong with its media when last looked at: the code of a verdict of viaduct explain; NULL: nothing.';
COMMENT ON COLUMN call_record.media_fault_says IS 'The same in words.';
COMMENT ON COLUMN call_record.media_fault_next_step IS 'What to do about it.';
COMMENT ON COLUMN call_record.recording IS 'How its recording stood at the end; NULL: it never was recorded.';
COMMENT ON COLUMN call_record.caller_profile IS 'What rtpengine was told that the caller speaks: webrtc, rtp, sdes or osrtp; NULL: nobody answered.';
COMMENT ON COLUMN call_record.caller_packets IS 'RTP packets that came from the caller; NULL: rtpengine did not say.';
COMMENT ON COLUMN call_record.caller_bytes IS 'Bytes of those packets.';
COMMENT ON COLUMN call_record.caller_mos IS 'Mean opinion score, 1 to 5, of what the caller sent, by RTCP; NULL: see caller_no_quality.';
COMMENT ON COLUMN call_record.caller_jitter_ms IS 'Its jitter in milliseconds, on average.';
COMMENT ON COLUMN call_record.caller_loss_percent IS 'Its packet loss in percent, on average.';
COMMENT ON COLUMN call_record.caller_lost IS 'Its packets that were lost in all.';
COMMENT ON COLUMN call_record.caller_round_trip_ms IS 'Round trip in milliseconds, on average.';
COMMENT ON COLUMN call_record.caller_no_quality IS 'Why there is no MOS: not-answered, no-relay, relay-gone, no-statistics, no-media, no-rtcp, too-few-reports.';
COMMENT ON COLUMN call_record.callee_profile IS 'The same of the callee that answered: what rtpengine was told that it speaks.';
COMMENT ON COLUMN call_record.callee_packets IS 'RTP packets that came from the callee; NULL: rtpengine did not say.';
COMMENT ON COLUMN call_record.callee_bytes IS 'Bytes of those packets.';
COMMENT ON COLUMN call_record.callee_mos IS 'Mean opinion score, 1 to 5, of what the callee sent; NULL: see callee_no_quality.';
COMMENT ON COLUMN call_record.callee_jitter_ms IS 'Its jitter in milliseconds, on average.';
COMMENT ON COLUMN call_record.callee_loss_percent IS 'Its packet loss in percent, on average.';
COMMENT ON COLUMN call_record.callee_lost IS 'Its packets that were lost in all.';
COMMENT ON COLUMN call_record.callee_round_trip_ms IS 'Round trip in milliseconds, on average.';
COMMENT ON COLUMN call_record.callee_no_quality IS 'Why there is no MOS; words as in caller_no_quality.';

-- The failed calls of the last week stay in the list, which is made of these rows from now on.
INSERT INTO call_record (id, started_at, call_id, node, from_uri, to_uri, from_aor, to_aor, ended_at, state, status, code,
  caller_no_quality, callee_no_quality)
SELECT id, started_at, call_id, node, from_uri, to_uri, from_uri, to_uri, ended_at, 'failed', status, code,
  'no-statistics', 'no-statistics' FROM failed_call;

DROP INDEX failed_call_started_at;
