/** The keys of `tls.cfg`: one row each, what its value must look like, and a good one for the message about a bad one. */

interface Rule {
  readonly test: RegExp;
  /** Behind "must be". */
  readonly words: string;
  readonly example: string;
}

const truth: Rule = { test: /^(yes|no|true|false|on|off|1|0)$/i, words: 'yes or no', example: 'yes' };

function fileLike(example: string): Rule {
  return { test: /./, words: 'the name of a file', example };
}

const rules = {
  method: {
    test: /^(SSLv23|TLSv1(\.[123])?\+?)$/i,
    words: 'one of TLSv1.2+, TLSv1.3+, TLSv1.2, TLSv1.3',
    example: 'TLSv1.2+',
  },
  verify_certificate: truth,
  require_certificate: truth,
  private_key: fileLike('/etc/viaduct/tls/example.com-key.pem'),
  certificate: fileLike('/etc/viaduct/tls/example.com.pem'),
  verify_depth: { test: /^\d{1,2}$/, words: 'a number from 0 to 99', example: '9' },
  ca_list: fileLike('/etc/viaduct/tls/clients-ca.pem'),
  crl: fileLike('/etc/viaduct/tls/clients-crl.pem'),
  cipher_list: { test: /./, words: "a list in OpenSSL's notation", example: 'HIGH:!aNULL' },
  server_name: {
    // RFC 6066 §3: a name as in DNS, no address. Longer ones cannot be looked up.
    test: /^(?=.{1,253}$)(?![\d.]+$)[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?$/i,
    words: 'a domain name (no address, no *)',
    example: 'sip.example.com',
  },
} as const satisfies Record<string, Rule>;

export type TlsKey = keyof typeof rules;

/** Kamailio reads `tls_method` as `method`. */
export function canonicalKey(name: string): string {
  return name === 'tls_method' ? 'method' : name;
}

export function isKey(name: string): name is TlsKey {
  return Object.hasOwn(rules, name);
}

/** What a value should have been; `fault` is `undefined` when it is good. */
export function keyFault(key: TlsKey, text: string): { readonly fault: string | undefined; readonly example: string } {
  const { test, words, example } = rules[key];
  return { fault: test.test(text) ? undefined : words, example };
}

/** RFC 8996: TLS 1.0 and 1.1 are no longer to be used, and no browser speaks them. */
const outdated = /^(SSLv23|TLSv1(\.1)?\+?)$/i;

export function raised(method: string): string {
  return outdated.test(method) ? 'TLSv1.2+' : method;
}

/** What an operator should know about a value that is taken all the same. */
export function keyWarning(key: string, text: string): string | undefined {
  if (key === 'server_id') return 'server_id is not used here';
  return key === 'method' && outdated.test(text) ? `method ${text} is raised to TLSv1.2+ (RFC 8996)` : undefined;
}

export function unknownKey(name: string): string {
  const instead: Readonly<Record<string, string>> = {
    ca_path: '; put the certificates into one file and name it in ca_list',
    verify_client: '; use verify_certificate and require_certificate',
    server_name_mode: '; write one section for each server_name',
  };
  const known = Object.keys(rules).join(', ');
  return `the key ${name.slice(0, 80)} is not known here${instead[name] ?? `; known are ${known}`}`;
}
