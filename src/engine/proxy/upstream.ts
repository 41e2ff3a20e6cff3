/**
 * Towards the caller of one request: its responses, and what they change for the call: a ringing makes an early dialog, a
 * 2xx to INVITE writes the dialog record, an answered BYE ends it.
 */
import type { ErrorCode } from '../../errors.ts';
import { get } from '../../message/header.ts';
import { To, tagOf } from '../../message/headers/from-to.ts';
import type { SipResponse } from '../../message/message.ts';
import type { DialogRecord } from '../../ports.ts';
import { isSuccess } from '../../proxy/response-context.ts';
import type { Reply, Request } from '../api.ts';
import type { Core } from '../core.ts';
import { endDialog } from '../dialog/hang-up.ts';
import { dialogOf } from '../dialog/parties.ts';
import { withServersLeft } from '../dialog/servers.ts';
import type { InviteMedia } from '../media/invite-media.ts';
import { responseOf } from '../replies.ts';
import type { ServerTransaction } from '../transactions.ts';
import type { PreparedBranch } from './branches.ts';

/** Whether the request makes a dialog with media, and this node is the one that keeps it. */
export function opensCall(request: Request): boolean {
  return invites(request) && request.hop === undefined;
}

/** Whether somebody is called by it. */
export function invites({ message, inDialog }: Request): boolean {
  return message.method === 'INVITE' && !inDialog;
}

/** Law 9: dialogs of one request. A record, a row and a session in rtpengine each, and a callee may invent To tags. */
const mostDialogs = 32;

export class Upstream {
  readonly #core: Core;
  readonly #request: Request;
  readonly #server: ServerTransaction;
  readonly #media: InviteMedia;
  /** To tags whose 2xx was seen: when it is repeated, also after the BYE, it makes no new call. */
  readonly #established = new Set<string>();
  /** Early dialogs by To tag, until the INVITE is answered. */
  readonly #early = new Map<string, DialogRecord>();

  constructor(core: Core, request: Request, server: ServerTransaction, media: InviteMedia) {
    this.#core = core;
    this.#request = request;
    this.#server = server;
    this.#media = media;
  }

  /** A response of our own. */
  reply(reply: Reply): void {
    if (reply.code !== undefined) this.#core.counters.refusal(reply.code);
    this.#core.refusals.note(this.#request, reply);
    this.send(responseOf(this.#request.message, reply, this.#core.ports.random.hex(5)), reply.code);
  }

  /** `refusal`: it is one of our own. */
  send(response: SipResponse, refusal?: ErrorCode): void {
    this.#core.counters.response(response.status, this.#request.message.method);
    const challenged = response.status === 401 || response.status === 407;
    if (response.status >= 300 && !challenged && opensCall(this.#request)) this.#core.counters.failed++;
    if (opensCall(this.#request)) this.#core.presence.calls.answered(this.#request.message, response.status);
    // A BYE ends the call whatever is answered, but for a challenge: then the same BYE comes again.
    if (this.#request.message.method === 'BYE' && response.status >= 200 && !challenged) {
      endDialog(this.#core, this.#request, refusal);
    }
    if (response.status >= 200) {
      this.#endEarly();
      this.#core.callLimits.finished(this.#request);
    }
    this.#server.respond(response);
    if (response.status >= 200 && opensCall(this.#request)) {
      this.#core.stories.finished(this.#request.message, this.#server.key, response.status);
    }
  }

  /** Whether this response may go upstream. Deviates: RFC 6026 §7.3 forwards each 2xx, however many there are. */
  takes(response: SipResponse): boolean {
    if (!opensCall(this.#request) || !isSuccess(response)) return true;
    return this.#established.size < mostDialogs || this.#established.has(tagOf(get(response, To)) ?? '');
  }

  /** A provisional response of this branch is about to be sent: PRACK or UPDATE may follow (RFC 3261 §12.1). */
  rings(response: SipResponse, branch: PreparedBranch): void {
    const tag = tagOf(get(response, To));
    if (tag === undefined || !opensCall(this.#request) || this.#early.has(tag)) return;
    const record = this.#dialogOf(branch, response);
    if (record === undefined || this.#early.size >= mostDialogs) return;
    this.#early.set(tag, record);
    this.#core.dialogs.passing(record);
  }

  #dialogOf(branch: PreparedBranch, response: SipResponse, mediaNode?: string): DialogRecord | undefined {
    const record = dialogOf(this.#core, this.#request, branch, response, mediaNode);
    return record && withServersLeft(this.#core, record, this.#request.flow.remote.address);
  }

  #endEarly(): void {
    for (const record of this.#early.values()) this.#core.dialogs.passed(record);
    this.#early.clear();
  }

  /** A 2xx of this branch is about to be sent. */
  succeeded(response: SipResponse, branch: PreparedBranch): void {
    if (opensCall(this.#request)) this.#establish(response, branch);
    else if (this.#request.inDialog) this.#core.dialogs.note(this.#request, response);
    else if (branch.token !== '' && this.#request.hop === undefined) this.#subscribed(response, branch);
  }

  /** SUBSCRIBE and REFER make dialogs as well (RFC 6665 §4.1, RFC 3515 §2.4.4). */
  #subscribed(response: SipResponse, branch: PreparedBranch): void {
    const record = this.#dialogOf(branch, response);
    if (record !== undefined) this.#core.dialogs.passing(record);
  }

  /** The call is answered: its record is written, and its media lives until its BYE. */
  #establish(response: SipResponse, branch: PreparedBranch): void {
    const tag = tagOf(get(response, To)) ?? '';
    if (this.#established.has(tag)) return;
    this.#established.add(tag);
    const mediaNode = this.#media.answered(branch.id, tag);
    const record = this.#dialogOf(branch, response, mediaNode);
    if (record === undefined) return;
    this.#core.dialogs.established(record);
    this.#core.stories.established(record);
    this.#core.presence.calls.established(record);
    this.#core.callLimits.established(record);
    this.#core.counters.answered++;
  }
}
