/**
 * Why a TLS handshake failed, in words for whoever reads the log (RFC 8446 §6.2). An alert is what the *other* side
 * thinks of us, which confuses everybody who meets one for the first time: "alert unknown ca" is not about its
 * certificate but about ours.
 *
 * `handshakeFault` is for handshakes that clients begin with us, `dialFault` for those that we begin with servers.
 */

export interface HandshakeFault {
  /** One of a bounded set; for an alert its name in RFC 8446. */
  readonly name: string;
  /** What it means and what to do. */
  readonly words: string;
}

const trustUs =
  'import DATA_DIR/tls/ca.pem on the client, or set TLS_CFG to a certificate of a public authority with the ' +
  'intermediate certificates behind it';
const method = 'see method in tls.cfg';

/** By the number on the wire. "The client" is a browser or a telephone. */
const alerts: Readonly<Record<number, HandshakeFault>> = {
  40: fault('handshake_failure', 'the client found no cipher or version in common with us; see cipher_list in tls.cfg'),
  42: fault('bad_certificate', `the client refuses our certificate as broken or untrusted; ${trustUs}`),
  43: fault('unsupported_certificate', 'the client cannot use a certificate of this kind; try an RSA or a P-256 key'),
  44: fault('certificate_revoked', 'the client knows that our certificate was withdrawn; get a new one'),
  45: fault('certificate_expired', 'our certificate has run out, or the clock of the client is wrong; renew it'),
  46: fault('certificate_unknown', `the client refuses our certificate: untrusted, or for another name; ${trustUs}`),
  48: fault('unknown_ca', `the client does not trust our certificate; ${trustUs}`),
  51: fault(
    'decrypt_error',
    'the client could not verify our signature; do certificate and private_key belong together?',
  ),
  70: fault('protocol_version', `the client does not speak our TLS versions; ${method}`),
  71: fault('insufficient_security', 'the client wants stronger ciphers or a longer key; see cipher_list in tls.cfg'),
  80: fault('internal_error', 'the client has a fault of its own; see its log'),
  86: fault('inappropriate_fallback', `the client came back with an older TLS version; ${method}`),
  90: fault('user_canceled', 'somebody at the client said no, perhaps to our certificate'),
  109: fault('missing_extension', 'the client misses a TLS extension'),
  112: fault('unrecognized_name', 'the client expected another server name; see server_name in tls.cfg'),
  116: fault('certificate_required', 'the client wants a certificate of us'),
  120: fault('no_application_protocol', 'the client wants another protocol (ALPN) on this port'),
};

const plain = 'wss:// in a browser, transport tls in a telephone, or point it to a ws or tcp entry of LISTEN';

/** What OpenSSL and Node find themselves, by their code. */
const findings: Readonly<Record<string, HandshakeFault>> = {
  ERR_SSL_UNSUPPORTED_PROTOCOL: fault(
    'old_version',
    `the client speaks no TLS version that we do; update it (${method})`,
  ),
  ERR_SSL_VERSION_TOO_LOW: fault('old_version', `the client speaks no TLS version that we do; update it (${method})`),
  ERR_SSL_NO_SHARED_CIPHER: fault(
    'no_shared_cipher',
    'the client has no cipher that we have; see cipher_list in tls.cfg, and whether it can use the kind of our key',
  ),
  ERR_SSL_HTTP_REQUEST: fault('plain_http', `a plain HTTP or SIP request came on a TLS port; set ${plain}`),
  ERR_SSL_HTTPS_PROXY_REQUEST: fault('plain_http', 'somebody takes this port for an HTTP proxy; likely a scanner'),
  ERR_SSL_WRONG_VERSION_NUMBER: fault('not_tls', `what came is not TLS, perhaps plain SIP; set ${plain}`),
  ERR_SSL_PACKET_LENGTH_TOO_LONG: fault('not_tls', `what came is not TLS, perhaps plain SIP; set ${plain}`),
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: fault(
    'no_certificate',
    'the client presented no certificate, and this port requires one (require_certificate in tls.cfg)',
  ),
  ERR_TLS_HANDSHAKE_TIMEOUT: fault('timeout', 'the client did not finish the handshake in time'),
  ECONNRESET: fault(
    'hung_up',
    'the client hung up during the handshake: a scanner, or a client that does not like our certificate',
  ),
  EPIPE: fault('hung_up', 'the client hung up during the handshake'),
};

function fault(name: string, words: string): HandshakeFault {
  return { name, words };
}

/** What became of a handshake that a client began with us. */
export function handshakeFault(error: Error): HandshakeFault {
  const number = alertNumber(error);
  const known = number === undefined ? undefined : alerts[number];
  return known ?? findings[codeOf(error)] ?? fault('other', reasonOf(error));
}

const trustThem = 'put its authority into ca_list of a [client:...] section of tls.cfg';
const showUs = 'put certificate and private_key into a [client:...] section of tls.cfg';

/** What we think of the certificate of a server, by Node's code (RFC 5280 §6, RFC 6125). */
const verdicts: Readonly<Record<string, HandshakeFault>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: fault('untrusted', `its certificate is self-signed; ${trustThem}`),
  SELF_SIGNED_CERT_IN_CHAIN: fault('untrusted', `its certificate is of an authority that we do not know; ${trustThem}`),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: fault(
    'untrusted',
    `its certificate is of an authority that we do not know; ${trustThem}`,
  ),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: fault('untrusted', `it does not send its intermediate certificate; ${trustThem}`),
  CERT_HAS_EXPIRED: fault('expired', 'its certificate has run out'),
  CERT_NOT_YET_VALID: fault('not_yet_valid', 'its certificate is not valid yet; is the clock of this host right?'),
  CERT_REVOKED: fault('revoked', 'its certificate was withdrawn (crl in tls.cfg)'),
  CRL_HAS_EXPIRED: fault(
    'crl_expired',
    'the list of withdrawn certificates has run out; renew the file of crl in tls.cfg',
  ),
  UNABLE_TO_GET_CRL: fault('no_crl', 'the file of crl in tls.cfg has no list of its authority'),
};

/** What a server said about us, by the number of its alert. */
const serverAlerts: Readonly<Record<number, HandshakeFault>> = {
  40: fault('handshake_failure', `it found no cipher in common, or wants a certificate of us; ${showUs}`),
  42: fault('bad_certificate', 'it refuses our certificate as broken or untrusted'),
  46: fault('certificate_unknown', 'it refuses our certificate'),
  48: fault('unknown_ca', 'it does not trust the authority of our certificate'),
  70: fault(
    'protocol_version',
    'it does not speak our TLS versions; see method of the [client:...] section in tls.cfg',
  ),
  112: fault('unrecognized_name', 'it has no certificate for this name; see server_name of the [client:...] section'),
  116: fault('certificate_required', `it wants a certificate of us; ${showUs}`),
};

/** Why we gave up a handshake with a server, or it did; `undefined`: it is not about TLS. */
export function dialFault(error: Error): HandshakeFault | undefined {
  const code = codeOf(error);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return fault('wrong_name', `its certificate is for another name: ${error.message}`);
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return fault('not_tls', 'it does not speak TLS on this port');
  const number = alertNumber(error);
  const told = number === undefined ? undefined : serverAlerts[number];
  const known = verdicts[code] ?? told;
  return known ?? (code.startsWith('ERR_SSL_') ? fault('other', reasonOf(error)) : undefined);
}

function alertNumber(error: Error): number | undefined {
  const digits = /alert number (\d+)/.exec(error.message)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : '';
}

/** OpenSSL's own words without its addresses and file names. */
function reasonOf(error: Error): string {
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message.slice(0, 200);
}
