/** A rack on a clock the test moves, and a tiny client of one BMC. */
import { createRack } from '../../../src/lab/rack/model.ts';
import type { CardModel, RackModel } from '../../../src/lab/rack/model.ts';
import type { RackLayout } from '../../../src/lab/rack/layout.ts';
import type { RedfishReply } from '../../../src/lab/rack/redfish/types.ts';

export const startMs = Date.UTC(2026, 8, 1, 12, 0, 0);
export const goodPassword = 'HelloNvidia3D!';
export const factoryPassword = '0penBmc';

export const paths = {
  root: '/redfish/v1',
  system: '/redfish/v1/Systems/Bluefield',
  reset: '/redfish/v1/Systems/Bluefield/Actions/ComputerSystem.Reset',
  secureBoot: '/redfish/v1/Systems/Bluefield/SecureBoot',
  bios: '/redfish/v1/Systems/Bluefield/Bios',
  oem: '/redfish/v1/Systems/Bluefield/Oem/Nvidia',
  manager: '/redfish/v1/Managers/Bluefield_BMC',
  managerReset: '/redfish/v1/Managers/Bluefield_BMC/Actions/Manager.Reset',
  account: '/redfish/v1/AccountService/Accounts/root',
  sessions: '/redfish/v1/SessionService/Sessions',
  update: '/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate',
} as const;

export interface TestRack {
  rack: RackModel;
  card: CardModel;
  advance(ms: number): void;
}

/** A rack (default `rack1`) on its own clock, with `as7-dpu0` at hand. */
export function testRack(layout?: RackLayout, seed = 1): TestRack {
  let nowMs = startMs;
  const rack = createRack({ nowMs: () => nowMs, seed, ...(layout && { layout }) });
  return {
    rack,
    card: rack.card('as7-dpu0'),
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

export interface CallOptions {
  password?: string | null;
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** One request; throws when the BMC refuses the connection. */
export function call(card: CardModel, method: string, path: string, options: CallOptions = {}): RedfishReply {
  const { password = goodPassword, token, body, headers = {} } = options;
  const authorization =
    token === undefined && password !== null
      ? { authorization: `Basic ${Buffer.from(`root:${password}`).toString('base64')}` }
      : {};
  const answer = card.redfish({
    method,
    path,
    headers: { ...authorization, ...(token !== undefined && { 'x-auth-token': token }), ...headers },
    body: body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body),
  });
  if ('refused' in answer) throw new Error('connection refused');
  return answer;
}

export type Parsed = Record<string, unknown>;

/** The JSON body of a GET. */
export function get(card: CardModel, path: string, options: CallOptions = {}): Parsed {
  return parse(call(card, 'GET', path, options));
}

export function parse(reply: RedfishReply): Parsed {
  return JSON.parse(reply.body) as Parsed;
}

/** Code of an error body: `Base.1.18.1.PasswordChangeRequired`. */
export function errorCode(reply: RedfishReply): unknown {
  return (parse(reply)['error'] as Parsed | undefined)?.['code'];
}

/** Give the BMC its first own password. */
export function setPassword(card: CardModel, password = goodPassword): void {
  const reply = call(card, 'PATCH', paths.account, { password: factoryPassword, body: { Password: password } });
  if (reply.status !== 200) throw new Error(`PATCH answered ${reply.status}`);
}

/** A rack whose `as7-dpu0` has the good password already. */
export function openedRack(layout?: RackLayout): TestRack {
  const opened = testRack(layout);
  setPassword(opened.card);
  return opened;
}

export function resetArm(card: CardModel): void {
  call(card, 'POST', paths.reset, { body: { ResetType: 'ForceRestart' } });
}

export function bootState(card: CardModel): unknown {
  return (get(card, paths.system)['BootProgress'] as Parsed)['OemLastState'];
}
