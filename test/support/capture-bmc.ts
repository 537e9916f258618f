import { readFileSync } from 'node:fs';
import { type BmcServer, startBmc } from '../contract/transport/support/bmc-server.ts';
import { createOpenBmc } from '../contract/transport/support/open-bmc.ts';

/** What a real B3220 with BF-24.10 answered, by path: the data alone, without the service that the pretend rack makes of it. */
export function capturedResources(): Readonly<Record<string, unknown>> {
  const file = new URL('../../src/lab/rack/capture/resources.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
}

/** The capture behind HTTPS: every resource as a plain file, and one account that can make sessions. */
export interface CaptureBmc {
  readonly server: BmcServer;
  readonly password: string;
  /** Passwords of all logins, in order. */
  readonly tries: readonly string[];
}

/** Serves the capture on loopback. `changes` stand in place of captured resources. */
export async function startCaptureBmc(changes: Readonly<Record<string, unknown>> = {}): Promise<CaptureBmc> {
  const password = 'Current!Pass-19';
  const bmc = createOpenBmc(password);
  for (const [path, body] of Object.entries({ ...capturedResources(), ...changes }))
    bmc.resources.set(path, ({ method }) => (method === 'GET' ? { body } : { status: 405 }));
  return { server: await startBmc(bmc.handler), password, tries: bmc.tries };
}
