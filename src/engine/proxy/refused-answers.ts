/**
 * 2xx of one request that go no further: their media failed (law 1), or there are too many of them (law 9). Each is
 * acknowledged as often as it is repeated, and hung up once.
 */
import { Failure } from '../../errors.ts';
import { get } from '../../message/header.ts';
import { To, tagOf } from '../../message/headers/from-to.ts';
import type { SipResponse } from '../../message/message.ts';
import type { Request } from '../api.ts';
import type { Core } from '../core.ts';
import { acknowledge, hangUpAnswered } from '../dialog/hang-up.ts';
import type { PreparedBranch } from './branches.ts';

/** As many as go upstream (upstream.ts); a callee that goes on inventing To tags is not answered any more. */
const mostHungUp = 32;

export class RefusedAnswers {
  readonly #core: Core;
  readonly #request: Request;
  /** To tags. */
  readonly #hungUp = new Set<string>();

  constructor(core: Core, request: Request) {
    this.#core = core;
    this.#request = request;
  }

  hangUp(sent: PreparedBranch, response: SipResponse, why: Failure): void {
    const branch = { ...sent, flow: this.#core.nextHops.flowNow(sent.hop) };
    const tag = tagOf(get(response, To)) ?? '';
    if (this.#hungUp.has(tag)) acknowledge(this.#core, this.#request, branch, response);
    else if (this.#hungUp.size >= mostHungUp) this.#core.counters.drop('2xx with yet another To tag');
    else {
      this.#hungUp.add(tag);
      hangUpAnswered(this.#core, this.#request, branch, response, why);
    }
  }

  /** The caller has more dialogs of this request than it can mean. */
  tooMany(branch: PreparedBranch, response: SipResponse): void {
    this.#core.counters.refusal('too-many-dialogs');
    this.hangUp(branch, response, new Failure('too-many-dialogs'));
  }
}
