-- Other names of accounts, and dial rules. Written by `viaduct alias`, over REST or by provisioning systems; asked, in the
-- same statement, for each called name that is no account.

CREATE TABLE alias (
  domain      text COLLATE "C" NOT NULL CHECK (domain <> ''),
  prefix      text COLLATE "C" NOT NULL CHECK (length(prefix) <= 64),
  digits      integer NOT NULL DEFAULT 0 CHECK (digits BETWEEN 0 AND 32),
  has_rest    boolean NOT NULL DEFAULT false,
  target      text NOT NULL CHECK (target <> ''),
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (domain, prefix, digits, has_rest),
  CHECK (prefix <> '' OR digits > 0 OR has_rest)
);

COMMENT ON TABLE alias IS 'Names that stand for another address: alice.smith, +4930123, or all that begin with 0049. The longest prefix counts, then the most digits, then the one without a rest.';
COMMENT ON COLUMN alias.domain IS 'Domain in which the name is called, in lower case.';
COMMENT ON COLUMN alias.prefix IS 'The name, unescaped, or how it begins; compared exactly.';
COMMENT ON COLUMN alias.digits IS 'How many digits follow the prefix, any of 0 to 9.';
COMMENT ON COLUMN alias.has_rest IS 'Whether one or more digits follow behind those.';
COMMENT ON COLUMN alias.target IS 'A name of the same domain, or a SIP URI. Each * in it stands for the digits behind the prefix, if the rule has any.';
COMMENT ON COLUMN alias.created_at IS 'When the rule was made.';
