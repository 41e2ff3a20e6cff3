/**
 * What a reply of rtpengine means: `ok` and `pong` are replies, everything else becomes a row of `errors.ts` with
 * rtpengine's own words. Its words are compared without case, since it says `Unknown call-id` and `Unknown call-ID`.
 */
import { type ErrorCode, Failure } from '../../errors.ts';
import type { NgCommand, NgReply, NgValue } from '../../media/commands.ts';
import { lower } from '../../message/ascii.ts';

/** The first row whose words the reason contains holds; anything else is a refusal of this one command. */
const reasons: readonly (readonly [words: string, code: ErrorCode])[] = [
  ['ran out of ports', 'media-busy'],
  ['session limit', 'media-busy'],
  ['limit exceeded', 'media-busy'],
  ['unknown call-id', 'media-lost'],
  ['unrecognized command', 'media-unable'],
];

/** The reply as it is when rtpengine did what it was told; throws a `Failure` when it did not. */
export function acceptReply(command: NgCommand, reply: NgReply): NgReply {
  switch (reply.result) {
    case 'ok':
      return withSdp(command, reply);
    case 'pong':
      return reply;
    case 'load limit':
      throw new Failure('media-busy', words(reply.message));
    default:
      throw refusal(words(reply['error-reason']));
  }
}

/** An empty SDP is answered with `ok` and no SDP: that is a refusal, or the raw SDP would go on (law 1). */
function withSdp(command: NgCommand, reply: NgReply): NgReply {
  const wanted = command.command === 'offer' || command.command === 'answer';
  if (!wanted || (typeof reply.sdp === 'string' && reply.sdp !== '')) return reply;
  throw new Failure('media-refused', 'It returned no SDP.');
}

function refusal(reason: string): Failure {
  const known = reasons.find(([text]) => lower(reason).includes(text));
  return new Failure(known?.[1] ?? 'media-refused', reason);
}

function words(value: NgValue | undefined): string {
  return typeof value === 'string' ? value : 'It gave no reason.';
}
