/** What the server tells its pages: where to connect, and in a demonstration with which accounts. */

export interface PhoneConfig {
  readonly wsUrl: string;
  readonly domain: string;
  readonly demo: boolean;
  /** Where a softphone registers, each transport once. */
  readonly sip: readonly { readonly transport: string; readonly address: string }[];
  /** For which key the phone subscribes, so that the server can wake it. */
  readonly vapidKey?: string;
  readonly secureUrl?: string;
  readonly accounts?: readonly { readonly name: string; readonly password: string }[];
}

export async function loadConfig(): Promise<PhoneConfig> {
  const answer = await fetch('/phone/config.json');
  if (!answer.ok) throw new Error(`config.json: ${answer.status}`);
  const config: PhoneConfig = await answer.json();
  return config;
}
