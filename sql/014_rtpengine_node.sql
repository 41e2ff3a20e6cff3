-- The rtpengine nodes that were added over REST. Written with each change, read when Viaduct starts.

CREATE TABLE rtpengine_node (
  address     text COLLATE "C" PRIMARY KEY CHECK (address <> ''),
  weight      integer NOT NULL DEFAULT 1 CHECK (weight BETWEEN 0 AND 9999),
  draining    boolean NOT NULL DEFAULT false,
  created_at  timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE rtpengine_node IS 'rtpengine nodes beside those of RTPENGINE. A change by hand is seen at the next start.';
COMMENT ON COLUMN rtpengine_node.address IS 'Its ng port, as in RTPENGINE: udp:10.0.0.7:22222.';
COMMENT ON COLUMN rtpengine_node.weight IS 'Its share of new calls among all nodes.';
COMMENT ON COLUMN rtpengine_node.draining IS 'Whether it gets no new calls.';
COMMENT ON COLUMN rtpengine_node.created_at IS 'When it was added.';
