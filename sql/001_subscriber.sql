-- Who may log in (RFC 3261 §22, RFC 8760). Written by `viaduct user` and by provisioning systems, read for every challenge answered.

CREATE TABLE subscriber (
  username    text COLLATE "C" NOT NULL CHECK (username <> ''),
  domain      text COLLATE "C" NOT NULL CHECK (domain <> ''),
  ha1_md5     text NOT NULL CHECK (ha1_md5 ~ '^[0-9a-f]{32}$'),
  ha1_sha256  text NOT NULL CHECK (ha1_sha256 ~ '^[0-9a-f]{64}$'),
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (username, domain)
);

COMMENT ON TABLE subscriber IS 'Accounts that may log in. A row added or changed here holds from the next request on; nothing is cached.';
COMMENT ON COLUMN subscriber.username IS 'User part of the address and digest username, unescaped, such as alice.';
COMMENT ON COLUMN subscriber.domain IS 'Domain of the address in lower case; it is also the digest realm that both hashes contain.';
COMMENT ON COLUMN subscriber.ha1_md5 IS 'Lower-case hex of MD5(username:domain:password). The password itself is stored nowhere.';
COMMENT ON COLUMN subscriber.ha1_sha256 IS 'Lower-case hex of SHA-256(username:domain:password), for clients of RFC 8760.';
COMMENT ON COLUMN subscriber.created_at IS 'When the account was made.';
COMMENT ON COLUMN subscriber.updated_at IS 'When its password was last set.';
