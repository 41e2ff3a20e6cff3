/** The token for our Record-Route (src/dialog/token.ts), made of what the engine knows of the two parties. */
import {
  bindingKeyHash,
  encodeToken,
  hourOf,
  nodeNumber,
  type TokenFields,
  type TokenSide,
  tagHash,
  targetHash,
} from '../../dialog/token.ts';
import type { Binding } from '../../ports.ts';

/** What a token is made for: one pass of a call. */
export interface TokenCall {
  readonly callId: string;
  readonly callerTag: string;
  /** Max-Forwards as it came. */
  readonly pass: number;
}

/** What a token says of one side. */
export interface TokenParty extends Omit<TokenSide, 'bindingKeyHash' | 'targetHash'> {
  readonly binding: Pick<Binding, 'aor' | 'key'> | undefined;
  /** The node that has its flow; `undefined`: this one. */
  readonly node?: string | undefined;
  /** Where its requests are sent when it has no flow: its first Route, else its Contact. */
  readonly target: string;
}

function tokenSide({ binding, target, node, flowId, ...side }: TokenParty): TokenSide {
  const bindingHash = binding === undefined ? undefined : bindingKeyHash(binding.aor, binding.key);
  // A flow of another node has no meaning here; the binding says where it is.
  const own = node === undefined ? flowId : undefined;
  return { ...side, flowId: own, bindingKeyHash: bindingHash, targetHash: targetHash(target) };
}

/** Whose token it is. */
export interface TokenMaker {
  readonly node: string;
  readonly secret: string;
  readonly nowMs: number;
}

export function tokenOfCall(
  { callId, callerTag, pass }: TokenCall,
  caller: TokenParty,
  callee: TokenParty,
  { node, secret, nowMs }: TokenMaker,
): string {
  const fields: TokenFields = {
    callerTagHash: tagHash(callerTag),
    node: nodeNumber(node),
    pass,
    madeAtHour: hourOf(nowMs),
    caller: tokenSide(caller),
    callee: tokenSide(callee),
  };
  return encodeToken(fields, callId, secret);
}
