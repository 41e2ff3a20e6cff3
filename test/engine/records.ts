/** Dialog records and bindings for the tests of this folder. */
import type { Binding, DialogRecord, DialogSide } from '../../src/ports.ts';

interface RecordParts {
  readonly callId?: string;
  readonly token?: string;
  readonly caller?: Partial<DialogSide>;
  readonly callee?: Partial<DialogSide>;
  readonly mediaNode?: string;
  readonly mediaName?: string;
  readonly answeredAtMs?: number;
}

const side: DialogSide = {
  uri: 'sip:alice@example.com',
  tag: 'alice-tag',
  remoteTarget: 'sip:alice@192.0.2.1:5060',
  routeSet: [],
  cseq: 1,
  flowId: undefined,
  binding: undefined,
  media: 'rtp',
  listener: 0,
};

/** A call from alice to bob. */
export function recordOf({
  callId = 'call-1',
  token = '',
  caller,
  callee,
  mediaNode,
  mediaName,
  answeredAtMs = 0,
}: RecordParts = {}): DialogRecord {
  const bob = { ...side, uri: 'sip:bob@example.com', tag: 'bob-tag', remoteTarget: 'sip:bob@192.0.2.2:5060', cseq: 0 };
  return {
    callId,
    token,
    caller: { ...side, ...caller },
    callee: { ...bob, ...callee },
    mediaNode,
    mediaName,
    answeredAtMs,
    node: 'n1',
  };
}

export const bobsBinding: Binding = {
  aor: 'sip:bob@example.com',
  key: 'sip:bob@192.0.2.2:5060',
  contact: 'sip:bob@192.0.2.2:5060',
  contactParams: '',
  q: 1,
  expiresAtMs: Number.MAX_SAFE_INTEGER,
  callId: 'register-1',
  cseq: 1,
  path: [],
  flowId: undefined,
  node: 'n1',
  boot: 'b00700',
  transport: 'udp',
  source: '192.0.2.2:5060',
  userAgent: '',
  media: undefined,
  gruuCSeq: undefined,
};
