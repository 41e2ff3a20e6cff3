/** Asks REST with the token, and turns every way it can fail into one `Problem` with words for a person. */
import { refused, token } from './session.ts';

/** RFC 9457; status 0: there was no answer. */
export class Problem extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export async function get<T>(path: string): Promise<T> {
  const answer = await ask(path, {});
  const body: T = await answer.json();
  return body;
}

export async function send(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<void> {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  await ask(path, { method, ...init });
}

/** The answer, when it is one of success. */
export async function ask(path: string, init: RequestInit): Promise<Response> {
  const sent = token();
  const answer = await fetch(path, { ...init, headers: headers(init, sent), cache: 'no-store' }).catch(
    (thrown: unknown) => {
      if (init.signal?.aborted) throw thrown;
      throw new Problem(0, 'Viaduct does not answer. Is it running? This page asks again by itself.');
    },
  );
  if (answer.ok) return answer;
  const why = await reason(answer);
  // Who may look but not change stays signed in.
  if (init.method === undefined || answer.status === 401) refused(answer.status, why, sent);
  throw new Problem(answer.status, why);
}

function headers({ body }: RequestInit, given: string | undefined): Record<string, string> {
  return {
    ...(given === undefined ? {} : { authorization: `Bearer ${given}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
}

async function reason(answer: Response): Promise<string> {
  const body: unknown = await answer.json().catch(() => undefined);
  const detail = typeof body === 'object' && body !== null && 'detail' in body ? body.detail : undefined;
  return typeof detail === 'string' ? detail : `Viaduct answered ${answer.status}.`;
}
