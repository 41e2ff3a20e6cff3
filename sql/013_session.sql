-- Short-lived logins of accounts, for browsers that must not know the password. Made over REST, read at each login of one.

CREATE TABLE session (
  id          text COLLATE "C" PRIMARY KEY CHECK (id ~ '^session-[0-9a-f]{24}$'),
  username    text COLLATE "C" NOT NULL,
  domain      text COLLATE "C" NOT NULL,
  ha1_md5     text NOT NULL CHECK (ha1_md5 ~ '^[0-9a-f]{32}$'),
  ha1_sha256  text NOT NULL CHECK (ha1_sha256 ~ '^[0-9a-f]{64}$'),
  created_at  timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  FOREIGN KEY (username, domain) REFERENCES subscriber ON DELETE CASCADE
);

CREATE INDEX session_account ON session (username, domain);

COMMENT ON TABLE session IS 'Logins of accounts that end by themselves. A row that is gone or has expired ends its connections and calls within seconds.';
COMMENT ON COLUMN session.id IS 'Digest username of this login, and its name in REST.';
COMMENT ON COLUMN session.username IS 'User part of the account that it logs in as, unescaped.';
COMMENT ON COLUMN session.domain IS 'Domain of that account, and the digest realm.';
COMMENT ON COLUMN session.ha1_md5 IS 'Lower-case hex of MD5(id:domain:password). The password itself is stored nowhere.';
COMMENT ON COLUMN session.ha1_sha256 IS 'Lower-case hex of SHA-256(id:domain:password).';
COMMENT ON COLUMN session.created_at IS 'When it was made.';
COMMENT ON COLUMN session.expires_at IS 'When it ends, by the clock of the node that made it.';
