import { knownBmc, unprovenKey } from '../../src/domain/credential-key.ts';
import type {
  BmcAccess,
  BmcCredential,
  BmcSession,
  CardRecords,
  CardRef,
  CredentialSlot,
  CredentialStore,
  DeviceClock,
  HostAccess,
  PinStore,
  RedfishReply,
  SecretBody,
} from '../../src/domain/device-ports.ts';
import type { BmcEndpoint } from '../../src/domain/inventory.ts';
import { Secret } from '../../src/domain/secret.ts';
import { errors } from '../../src/errors.ts';
import type { RackModel } from '../../src/lab/rack/model.ts';
import { createRedactor } from '../../src/transport/redact.ts';
import { followTask } from '../../src/transport/redfish/task.ts';
import type { Tick } from './rack-session.ts';
import { createRackSession } from './rack-session.ts';

/** A clock that stands still until somebody waits; device time and wall time are one. */
export function createFakeClock(startMs = 1_800_000_000_000): DeviceClock & { advance(ms: number): void } {
  let nowMs = startMs;
  return {
    nowMs: () => nowMs,
    poll: (deviceMs, signal) => {
      signal.throwIfAborted();
      nowMs += deviceMs;
      return Promise.resolve();
    },
    deadlineMs: (deviceMs) => deviceMs,
    stepLimitMs: (deviceMs) => deviceMs,
    wallMs: (deviceMs) => deviceMs,
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

/** SSH to the hosts of a rack model, without a network. */
export function createRackHosts(rack: RackModel, clock: ReturnType<typeof createFakeClock>, tick: Tick): HostAccess {
  return {
    open: (slice) => {
      const host = rack.host(slice.name);
      const { name, user, files } = host;
      const isThere = (): boolean => host.isUp() && host.isLinked() && !lostToFault(rack, name);
      if (!host.isUp() || !host.isLinked())
        return Promise.reject(errors.sshUnreachable({ host: name, address: host.address }));
      return Promise.resolve(
        createRackSession({ name, user, start: (...words) => host.start(...words), files, isThere }, clock, tick),
      );
    },
    close: () => Promise.resolve(),
  };
}

function lostToFault(rack: RackModel, host: string): boolean {
  return rack.hasFault('ssh-drop', host, 'use') || rack.hasFault('ssh-refuse', host, 'use');
}

/** Redfish of the cards of a rack model: Basic authentication, candidates in the house order, no wrong-try budget. */
export function createRackBmcs(
  rack: RackModel,
  stores: {
    readonly credentials: CredentialStore;
    readonly pins: PinStore;
    readonly records: CardRecords;
    readonly clock: DeviceClock;
  },
  tick: Tick,
): BmcAccess {
  const certificateOf = (card: CardRef): string => Buffer.from(card.dpu.name.padEnd(32, '.')).toString('hex');

  function send(card: CardRef, secret: Secret, method: string, path: string, body?: unknown): RedfishReply {
    const authorization = `Basic ${Buffer.from(`root:${secret.reveal()}`).toString('base64')}`;
    const answer = rack.card(card.dpu.name).redfish({
      method,
      path,
      headers: { authorization, 'content-type': 'application/json', host: 'bmc' },
      body: body === undefined ? '' : JSON.stringify(body),
    });
    const where = { target: card.dpu.name, request: `${method} ${path}` };
    if ('refused' in answer) throw errors.bmcUnreachable({ target: card.dpu.name, address: 'model' });
    if (answer.fault === 'drop') throw errors.bmcReplyLost(where);
    if (answer.fault !== undefined) throw errors.bmcTimeout({ ...where, timeoutMs: 1 });
    const parsed: unknown = answer.body === '' ? null : JSON.parse(answer.body);
    if (answer.status >= 500) throw errors.redfishBusy({ ...where, status: answer.status });
    return { status: answer.status, body: parsed, headers: answer.headers };
  }

  function sessionOf(card: CardRef, secret: Secret): BmcSession {
    const write = (method: string, path: string, body: unknown): Promise<RedfishReply> => {
      tick(`before ${method} ${path}`);
      const reply = send(card, secret, method, path, body);
      tick(`after ${method} ${path}`);
      if (reply.status >= 300)
        throw errors.redfishError({ target: card.dpu.name, request: path, status: reply.status, message: 'refused' });
      return Promise.resolve(reply);
    };
    return {
      target: card.dpu.name,
      get: async (resource) => {
        const reply = send(card, secret, 'GET', resource.path);
        if (reply.status === 200) return reply.body;
        const { status } = reply;
        throw errors.redfishError({ target: card.dpu.name, request: resource.path, status, message: 'refused' });
      },
      patch: async (path, body) => write('PATCH', path, body),
      post: async (path, body) => write('POST', path, body),
      patchSecret: async (path, body) => write('PATCH', path, revealed(body)),
      waitTask: async (path, options) =>
        followTask(
          {
            target: card.dpu.name,
            read: async (taskPath) => {
              const { status, headers, body } = send(card, secret, 'GET', taskPath);
              return Promise.resolve({ status, headers, text: JSON.stringify(body) });
            },
            clock: stores.clock,
            redactor: createRedactor(),
          },
          path,
          { ...options, timeoutMs: 600_000 },
        ),
    };
  }

  return {
    fingerprint: async (card) => {
      await addressOf(stores, card);
      return certificateOf(card);
    },
    login: async (card, { knownOnly }) => {
      await addressOf(stores, card);
      const pin = await stores.pins.get('bmc-certificate', card.dpu.name);
      const certSha256 = certificateOf(card);
      const filed = pin === undefined ? [] : await filedFor(stores, card, certSha256);
      const bySlot = (slot: CredentialSlot): BmcCredential[] => filed.filter((entry) => entry.slot === slot);
      const factory = { slot: 'factory', secret: new Secret('0penBmc') } as const;
      const tried: CredentialSlot[] = [];
      if (knownOnly && pin === undefined) return { state: 'unpinned' };
      const all = [...bySlot('pending'), ...bySlot('current'), factory, ...bySlot('previous')];
      for (const { slot, secret } of knownOnly ? bySlot('current') : all) {
        tried.push(slot);
        const { status } = send(card, secret, 'GET', '/redfish/v1/Managers');
        if (status === 401) continue;
        return { state: 'in', slot, mustChange: status === 403, session: sessionOf(card, secret) };
      }
      return pin === undefined ? { state: 'unpinned' } : { state: 'refused', tried };
    },
    forget: () => undefined,
    noteReset: () => undefined,
    close: () => Promise.resolve(),
  };
}

/** Errors: bmc-address-auto, while nobody has found the address. */
async function addressOf({ records }: { readonly records: CardRecords }, card: CardRef): Promise<BmcEndpoint> {
  const bmc = await knownBmc(card, records);
  if (bmc === undefined) throw errors.bmcAddressAuto({ target: card.dpu.name });
  return bmc;
}

async function filedFor(
  stores: { readonly credentials: CredentialStore; readonly records: CardRecords },
  card: CardRef,
  certSha256: string,
): Promise<readonly BmcCredential[]> {
  const bySerial = card.serial === undefined ? [] : await stores.credentials.bmc({ serial: card.serial });
  const byCertificate = await stores.credentials.bmc(unprovenKey(await addressOf(stores, card), certSha256));
  return [...bySerial, ...byCertificate];
}

function revealed(value: Secret | string | SecretBody): unknown {
  if (value instanceof Secret) return value.reveal();
  if (typeof value === 'string') return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, revealed(inner)]));
}
