-- Where the devices of an account are (RFC 3261 §10.3, RFC 3327, RFC 5626).
--
-- There is no index on expires_at: each refresh changes it, and an index on it would turn every refresh into an insert
-- into all indexes. The sweeper reads the table instead, once in a while.

CREATE TABLE location (
  aor             text COLLATE "C" NOT NULL,
  binding_key     text COLLATE "C" NOT NULL,
  key_hash        text COLLATE "C" NOT NULL CHECK (key_hash ~ '^[0-9a-f]{10}$'),
  contact         text NOT NULL,
  contact_params  text NOT NULL,
  q               double precision NOT NULL CHECK (q BETWEEN 0 AND 1),
  expires_at      timestamptz NOT NULL,
  call_id         text NOT NULL,
  cseq            bigint NOT NULL CHECK (cseq BETWEEN 0 AND 4294967295),
  path            text[] NOT NULL,
  flow_id         text COLLATE "C",
  node            text NOT NULL,
  boot            text NOT NULL,
  transport       text NOT NULL CHECK (transport IN ('udp', 'tcp', 'tls', 'ws', 'wss')),
  source          text NOT NULL,
  user_agent      text NOT NULL,
  media           text CHECK (media IN ('webrtc', 'rtp', 'sdes')),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (aor, binding_key)
) WITH (fillfactor = 80);

CREATE INDEX location_key_hash ON location (key_hash);
CREATE INDEX location_flow_id ON location (flow_id) WHERE flow_id IS NOT NULL;

COMMENT ON TABLE location IS 'Registered contacts. A row whose expires_at has passed does not count, and is removed by the sweeper some time later.';
COMMENT ON COLUMN location.aor IS 'Address of record in canonical form, sip:user@domain.';
COMMENT ON COLUMN location.binding_key IS 'What another registration of the same device replaces: its instance and reg-id (RFC 5626), else its Contact URI.';
COMMENT ON COLUMN location.key_hash IS 'First 10 hex digits of SHA-256(aor, newline, binding_key): how the token in a Record-Route names a binding.';
COMMENT ON COLUMN location.contact IS 'Contact URI as the client gave it.';
COMMENT ON COLUMN location.contact_params IS 'Parameters of the Contact header field as received, without q and expires; each with its leading semicolon.';
COMMENT ON COLUMN location.q IS 'Preference from 0 to 1 (RFC 3261 §20.10); the highest is called first.';
COMMENT ON COLUMN location.expires_at IS 'When the registration ends, by the clock of the node that took it.';
COMMENT ON COLUMN location.call_id IS 'Call-ID of the REGISTER that made or refreshed it; orders requests together with cseq.';
COMMENT ON COLUMN location.cseq IS 'CSeq number of that REGISTER; an equal or lower one of the same Call-ID changes nothing.';
COMMENT ON COLUMN location.path IS 'Path values (RFC 3327), first hop first; becomes the Route of requests to this contact.';
COMMENT ON COLUMN location.flow_id IS 'Flow it registered over, when it must be reached by that flow; NULL: it is reached at its contact.';
COMMENT ON COLUMN location.node IS 'Viaduct node that owns the flow.';
COMMENT ON COLUMN location.boot IS 'Start of that node; the connections of an older start are dead.';
COMMENT ON COLUMN location.transport IS 'Transport of the REGISTER: udp, tcp, tls, ws or wss.';
COMMENT ON COLUMN location.source IS 'Address and port that the REGISTER came from; for people, nothing is sent there.';
COMMENT ON COLUMN location.user_agent IS 'User-Agent of the REGISTER; empty when it had none.';
COMMENT ON COLUMN location.media IS 'What the device is known to speak: webrtc (DTLS-SRTP, ICE), rtp (plain) or sdes; NULL: not known yet.';
COMMENT ON COLUMN location.updated_at IS 'When it was last registered; among equal q the newest is called first.';
