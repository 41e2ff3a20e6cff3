/**
 * Via (RFC 3261 §20.42, §18.2.1; RFC 3581 rport). Left out: where a response goes (src/nat).
 */
import { lower } from '../ascii.ts';
import { TOKEN } from '../grammar.ts';
import { defineHeader, type Header } from '../header.ts';
import { type Params, parseParams, printParams } from '../params.ts';

export interface Via {
  /** `SIP/2.0` unless the sender speaks something else. */
  readonly protocol?: string;
  /** In upper case: `UDP`, `WSS`. */
  readonly transport: string;
  /** sent-by; an IPv6 address with its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;
}

const slash = '[ \\t]*/[ \\t]*';
const host = '(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9_.-]+)';
const syntax = new RegExp(
  `^(${TOKEN})${slash}(${TOKEN})${slash}(${TOKEN})[ \\t]+${host}(?:[ \\t]*:[ \\t]*([0-9]{1,5}))?[ \\t]*(;.*)?$`,
  's',
);

function parseVia(text: string): Via | undefined {
  const match = syntax.exec(text);
  if (match === null) return undefined;
  const [, name = '', version = '', transport = '', sentBy = '', portText, paramText = ''] = match;
  const params = parseParams(paramText);
  const port = portText === undefined ? undefined : Number(portText);
  if (params === undefined || (port !== undefined && port > 65535)) return undefined;
  const via = { transport: lower(transport).toUpperCase(), host: sentBy, port, params };
  const protocol = `${lower(name).toUpperCase()}/${version}`;
  return protocol === 'SIP/2.0' ? via : { ...via, protocol };
}

function printVia(via: Via): string {
  const port = via.port === undefined ? '' : `:${via.port}`;
  return `${via.protocol ?? 'SIP/2.0'}/${via.transport} ${via.host}${port}${printParams(via.params)}`;
}

// RFC 3261 §18.2.1, RFC 7118 §5.1: the port that a sent-by without one means.
const defaultPorts: Readonly<Record<string, number>> = { TLS: 5061, WS: 80, WSS: 443 };

export function sentByPort(via: Via): number {
  return via.port ?? defaultPorts[via.transport] ?? 5060;
}

/** `host:port`, the same for sent-bys that are equal. */
export function sentBy(via: Via): string {
  return `${lower(via.host)}:${sentByPort(via)}`;
}

export const Via: Header<Via> = defineHeader({ name: 'Via', list: true, parse: parseVia, print: printVia });
