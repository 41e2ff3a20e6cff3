/**
 * The media of one INVITE that opens a call, from its relay to its last branch. Of a request in a dialog only its end is
 * told, of any other nothing. What is done with the media is in media.ts.
 */

import { get } from '../../message/header.ts';
import { From } from '../../message/headers/from-to.ts';
import type { Request } from '../api.ts';
import type { Core } from '../core.ts';
import { assumedKind } from './assumed-kind.ts';
import type { MediaCall } from './media-call.ts';

export class InviteMedia {
  readonly #core: Core;
  readonly #request: Request;
  #call: MediaCall | undefined;
  #isOpen = false;

  constructor(core: Core, request: Request) {
    this.#core = core;
    this.#request = request;
  }

  begin(): void {
    const { message, flow, media } = this.#request;
    this.#isOpen = true;
    this.#call = this.#core.media.begin(message, { kind: media, address: flow.remote.address });
    // Law 2: the SDP of a caller says what it speaks, also when it is called.
    if (media === assumedKind(flow.transport)) return;
    const binding = this.#core.registrar.bindingOf(flow, get(message, From)?.uri);
    if (binding !== undefined) this.#core.registrar.learn(binding, media);
  }

  /** Nothing more comes from it; its media may go, unless it was answered (src/media/delete-rules.ts knows). */
  branchEnded(branchId: string): void {
    if (this.#call !== undefined) this.#core.media.branchEnded(this.#call, branchId);
  }

  /** The node that holds the media of this dialog. */
  answered(branchId: string, calleeTag: string): string | undefined {
    return this.#call && this.#core.media.answered(this.#call, branchId, calleeTag);
  }

  /** Law 3: no branch brings another call, so its media ends with the last BYE, not with the last timer. */
  finished(): void {
    if (this.#request.inDialog) this.#core.media.unanswered(this.#request.message);
    if (this.#call === undefined || !this.#isOpen) return;
    this.#isOpen = false;
    this.#core.media.finished(this.#call);
  }
}
