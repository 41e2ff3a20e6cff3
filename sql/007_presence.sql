-- Presence, busy lamps and messages (RFC 3903, 6665, 3842, 3428).
--
-- A NOTIFY counts cseq and version up, and nothing that an index holds: such an update stays within its page. Only a
-- refresh, once in an hour, moves expires_at in its index.

CREATE TABLE publication (
  aor           text COLLATE "C" NOT NULL,
  event         text COLLATE "C" NOT NULL CHECK (event IN ('presence', 'presence.winfo', 'dialog', 'reg', 'message-summary')),
  etag          text COLLATE "C" NOT NULL,
  content_type  text NOT NULL,
  body          text NOT NULL,
  expires_at    timestamptz NOT NULL,
  updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (aor, event, etag)
);

CREATE INDEX publication_expires_at ON publication (expires_at);

COMMENT ON TABLE publication IS 'Documents that clients have published about an address. All live ones of an address together are its presence.';
COMMENT ON COLUMN publication.aor IS 'The address that it is about, in canonical form, sip:user@domain.';
COMMENT ON COLUMN publication.event IS 'Event package, such as presence.';
COMMENT ON COLUMN publication.etag IS 'Entity-tag that the client must name to refresh, change or remove it; another one after each of these.';
COMMENT ON COLUMN publication.content_type IS 'Type of the body, such as application/pidf+xml.';
COMMENT ON COLUMN publication.body IS 'The document as it was published.';
COMMENT ON COLUMN publication.expires_at IS 'When it ends, by the clock of the node that took it.';
COMMENT ON COLUMN publication.updated_at IS 'When it was published, refreshed or changed; the newest comes first in what watchers see.';

CREATE TABLE subscription (
  id             text COLLATE "C" PRIMARY KEY,
  event          text COLLATE "C" NOT NULL CHECK (event IN ('presence', 'presence.winfo', 'dialog', 'reg', 'message-summary')),
  event_id       text,
  resource       text COLLATE "C" NOT NULL,
  watcher        text COLLATE "C" NOT NULL,
  state          text NOT NULL CHECK (state IN ('pending', 'active', 'terminated')),
  reason         text,
  created_at     timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL,
  call_id        text NOT NULL,
  remote_tag     text NOT NULL,
  local_uri      text NOT NULL,
  remote_uri     text NOT NULL,
  remote_target  text NOT NULL,
  route_set      text[] NOT NULL,
  remote_cseq    bigint NOT NULL CHECK (remote_cseq BETWEEN 0 AND 4294967295),
  cseq           bigint NOT NULL CHECK (cseq BETWEEN 0 AND 4294967295),
  version        bigint NOT NULL CHECK (version >= -1),
  flow_id        text COLLATE "C",
  listener       integer NOT NULL CHECK (listener >= 0),
  node           text COLLATE "C" NOT NULL,
  boot           text NOT NULL
) WITH (fillfactor = 80);

CREATE INDEX subscription_resource ON subscription (resource, event);
CREATE INDEX subscription_watcher ON subscription (watcher);
CREATE INDEX subscription_flow_id ON subscription (flow_id) WHERE flow_id IS NOT NULL;
CREATE INDEX subscription_expires_at ON subscription (expires_at);

COMMENT ON TABLE subscription IS 'Who is told of what, with the dialog that the NOTIFY requests are sent in. A row goes when its last NOTIFY is answered.';
COMMENT ON COLUMN subscription.id IS 'Our tag in the dialog; random.';
COMMENT ON COLUMN subscription.event IS 'Event package: presence, presence.winfo, dialog, reg or message-summary.';
COMMENT ON COLUMN subscription.event_id IS 'The id parameter of the Event header; NULL when there was none.';
COMMENT ON COLUMN subscription.resource IS 'The address that is watched, in canonical form.';
COMMENT ON COLUMN subscription.watcher IS 'The account that watches, in canonical form.';
COMMENT ON COLUMN subscription.state IS 'pending: waits for a rule of the watched account; active; terminated: the last NOTIFY is still owed.';
COMMENT ON COLUMN subscription.reason IS 'Why it is terminated (RFC 6665 §4.1.3), such as timeout or rejected; else NULL.';
COMMENT ON COLUMN subscription.created_at IS 'When it began.';
COMMENT ON COLUMN subscription.expires_at IS 'When it ends unless it is refreshed, by the clock of the node that took it.';
COMMENT ON COLUMN subscription.call_id IS 'Call-ID of the dialog.';
COMMENT ON COLUMN subscription.remote_tag IS 'Tag of the subscriber in the dialog.';
COMMENT ON COLUMN subscription.local_uri IS 'URI in From of each NOTIFY: the To of the SUBSCRIBE.';
COMMENT ON COLUMN subscription.remote_uri IS 'URI in To of each NOTIFY: the From of the SUBSCRIBE.';
COMMENT ON COLUMN subscription.remote_target IS 'Contact of the subscriber: Request-URI of each NOTIFY.';
COMMENT ON COLUMN subscription.route_set IS 'Route of each NOTIFY, nearest hop first.';
COMMENT ON COLUMN subscription.remote_cseq IS 'CSeq number of the last SUBSCRIBE; a lower one changes nothing.';
COMMENT ON COLUMN subscription.cseq IS 'CSeq number of the last NOTIFY.';
COMMENT ON COLUMN subscription.version IS 'Version of the last document, for packages that count them; -1 before the first.';
COMMENT ON COLUMN subscription.flow_id IS 'Flow the subscriber is reached by; NULL: by the route set or the contact.';
COMMENT ON COLUMN subscription.listener IS 'Position in LISTEN of the socket on its side.';
COMMENT ON COLUMN subscription.node IS 'Viaduct node that took the last SUBSCRIBE, and sends the NOTIFY requests.';
COMMENT ON COLUMN subscription.boot IS 'Start of that node; the connections of an older start are dead.';

CREATE TABLE watcher_rule (
  presentity  text COLLATE "C" NOT NULL,
  watcher     text COLLATE "C" NOT NULL,
  policy      text NOT NULL CHECK (policy IN ('allow', 'block', 'polite-block')),
  updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (presentity, watcher)
);

COMMENT ON TABLE watcher_rule IS 'Who may watch whom. Without a row the setting PRESENCE decides.';
COMMENT ON COLUMN watcher_rule.presentity IS 'The address that is watched, in canonical form.';
COMMENT ON COLUMN watcher_rule.watcher IS 'The account that wants to watch, in canonical form.';
COMMENT ON COLUMN watcher_rule.policy IS 'allow; block: refused; polite-block: told that nobody is there.';
COMMENT ON COLUMN watcher_rule.updated_at IS 'When the rule was set.';

CREATE TABLE mailbox (
  aor           text COLLATE "C" PRIMARY KEY,
  new_messages  integer NOT NULL CHECK (new_messages >= 0),
  old_messages  integer NOT NULL CHECK (old_messages >= 0),
  new_urgent    integer NOT NULL CHECK (new_urgent >= 0),
  old_urgent    integer NOT NULL CHECK (old_urgent >= 0),
  updated_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

COMMENT ON TABLE mailbox IS 'Message counts for the lamp on a telephone (RFC 3842), set over REST by a voice mail system.';
COMMENT ON COLUMN mailbox.aor IS 'The account, in canonical form.';
COMMENT ON COLUMN mailbox.new_messages IS 'Voice messages not heard yet.';
COMMENT ON COLUMN mailbox.old_messages IS 'Voice messages heard already.';
COMMENT ON COLUMN mailbox.new_urgent IS 'How many of the new ones are urgent.';
COMMENT ON COLUMN mailbox.old_urgent IS 'How many of the old ones are urgent.';
COMMENT ON COLUMN mailbox.updated_at IS 'When the counts were set.';

CREATE TABLE stored_message (
  id            text COLLATE "C" PRIMARY KEY,
  aor           text COLLATE "C" NOT NULL,
  sender        text NOT NULL,
  content_type  text NOT NULL,
  body          text NOT NULL,
  sent_at       timestamptz NOT NULL,
  expires_at    timestamptz NOT NULL,
  tries         integer NOT NULL DEFAULT 0
);

CREATE INDEX stored_message_aor ON stored_message (aor, sent_at);
CREATE INDEX stored_message_expires_at ON stored_message (expires_at);

COMMENT ON TABLE stored_message IS 'Text messages (MESSAGE) that wait until a device of the recipient registers.';
COMMENT ON COLUMN stored_message.id IS 'Random.';
COMMENT ON COLUMN stored_message.aor IS 'The recipient, in canonical form.';
COMMENT ON COLUMN stored_message.sender IS 'From of the message, with its display name.';
COMMENT ON COLUMN stored_message.content_type IS 'Content-Type as it came.';
COMMENT ON COLUMN stored_message.body IS 'The text.';
COMMENT ON COLUMN stored_message.sent_at IS 'When it was taken; becomes the Date of the delivery.';
COMMENT ON COLUMN stored_message.expires_at IS 'When it is given up.';
COMMENT ON COLUMN stored_message.tries IS 'How often a device has refused it.';
