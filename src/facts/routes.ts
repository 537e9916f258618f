import { z } from 'zod';
import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** A route of the main table. */
export interface Route {
  /** `10.2.0.0/24`, `default`. */
  readonly to: string;
  readonly via: string | undefined;
  readonly link: string | undefined;
}

/** IPv4 routes of the main table. Source: ip-route(8). */
export const mainRoutes = defineRead({ name: 'ip route', argv: ['ip', '-json', '-4', 'route', 'show'] });

const Routes = z.array(
  z.object({ dst: z.string().min(1), gateway: z.string().optional(), dev: z.string().optional() }),
);

/** Errors: command-failed, output-unreadable. */
export async function readRoutes(reader: HostReader, signal: AbortSignal): Promise<readonly Route[]> {
  const result = await reader.read(mainRoutes.bind({}), { timeoutMs: 15_000, signal });
  expectSuccess(reader.name, 'ip -json -4 route show', result);
  return parseRoutes(reader.name, result.stdout);
}

/** Parses `ip -json route show`; without routes some versions print nothing at all. */
export function parseRoutes(target: string, text: string): readonly Route[] {
  if (text.trim() === '') return [];
  try {
    return Routes.parse(JSON.parse(text)).map(({ dst, gateway, dev }) => ({ to: dst, via: gateway, link: dev }));
  } catch {
    const problem = 'no JSON list of routes';
    throw errors.outputUnreadable({ target, source: 'ip -json route show', problem, evidence: text.slice(0, 400) });
  }
}
