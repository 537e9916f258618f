import { createHash } from 'node:crypto';
import type { ArmAccess, ArmLogin } from '../../src/domain/arm-ports.ts';
import type { CardRef, DeviceClock, HostBmcAccess, PinStore, RedfishReply } from '../../src/domain/device-ports.ts';
import { errors } from '../../src/errors.ts';
import type { CardModel, RackModel } from '../../src/lab/rack/model.ts';
import type { Tick } from './rack-session.ts';
import { createRackSession } from './rack-session.ts';

type Clock = DeviceClock & { advance(ms: number): void };

/** An Ed25519 key as it stands in authorized_keys and known_hosts (RFC 8709), made from a name. */
function keyLine(name: string): string {
  const field = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const point = createHash('sha256').update(name).digest();
  return `ssh-ed25519 ${Buffer.concat([field(Buffer.from('ssh-ed25519')), field(point)]).toString('base64')}`;
}

/** The key that the operator's credential would give. */
export const armPublicKey = `${keyLine('operator')} dpubot`;

/** A host key line of a machine, another one after every flash, and its fingerprint as ssh-keygen prints it. */
export function fakeHostKey(name: string, generation: number): string {
  return keyLine(`host key of ${name}, generation ${generation}`);
}

function fingerprintOf(line: string): string {
  const blob = Buffer.from(line.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** SSH to the Arms of a rack model, without a network: pins, keys and passwords count as they would over one. */
export function createRackArms(rack: RackModel, clock: Clock, pins: PinStore, tick: Tick): ArmAccess {
  rack.connectOutside({ hostKey: fakeHostKey, dialArm: () => null });
  const sessionOf = (card: CardModel): ReturnType<typeof createRackSession> =>
    createRackSession(
      {
        name: card.name,
        user: 'ubuntu',
        start: (...words) => card.armStart(...words),
        files: card.armFiles,
        isThere: () => card.armIsUp(),
      },
      clock,
      tick,
    );
  const hostKeyOf = (card: CardModel): string => fingerprintOf(fakeHostKey(card.name, card.armHostKeyGeneration()));

  async function login(ref: CardRef): Promise<ArmLogin> {
    const card = rack.card(ref.dpu.name);
    const pin = await pins.get('ssh-host-key', ref.dpu.name);
    if (pin === undefined) return { state: 'unpinned' };
    if (!card.armIsUp()) {
      const { failure } = errors.sshUnreachable({ host: card.name, address: card.addresses.arm });
      return { state: 'unreachable', failure };
    }
    if (hostKeyOf(card) !== pin) throw errors.sshHostKeyChanged({ host: card.name, seen: hostKeyOf(card) });
    const known = card.armAuthorizedKeys().map((line) => line.split(' ')[1]);
    if (!known.includes(armPublicKey.split(' ')[1])) return { state: 'refused' };
    return { state: 'in', session: sessionOf(card) };
  }

  return {
    login: async (ref) => login(ref),
    loginWithPassword: async (ref, attempt) => {
      const card = rack.card(ref.dpu.name);
      if (hostKeyOf(card) !== attempt.hostKey)
        throw errors.sshHostKeyChanged({ host: card.name, seen: hostKeyOf(card) });
      switch (card.armLogin(attempt.user, attempt.password.reveal())) {
        case 'wrong':
          return { state: 'refused' };
        case 'ok':
          return { state: 'in', session: sessionOf(card) };
        case 'expired': {
          tick('before password change');
          const complaint = card.changeArmPassword(attempt.password.reveal(), attempt.newPassword.reveal());
          tick('after password change');
          return complaint === null ? { state: 'changed' } : { state: 'refused' };
        }
      }
    },
    publicKey: async () => armPublicKey,
    console: () => Promise.reject(new Error('the model of the rack has no console without its servers')),
    forget: () => undefined,
    close: () => Promise.resolve(),
  };
}

/** Redfish of the hosts' own management controllers, logged in. */
export function createRackHostBmcs(rack: RackModel, tick: Tick): HostBmcAccess {
  return {
    open: async (slice) => {
      const host = rack.host(slice.name);
      const { bmc } = host;
      if (slice.entry.bmc === undefined || bmc === null) return undefined;
      const send = (method: string, path: string, body?: unknown): RedfishReply => {
        const authorization = `Basic ${Buffer.from(`${bmc.user}:${bmc.password}`).toString('base64')}`;
        const headers = { authorization, 'content-type': 'application/json', host: 'bmc' };
        const answer = host.bmcRedfish({ method, path, headers, body: body === undefined ? '' : JSON.stringify(body) });
        if ('refused' in answer) throw errors.bmcUnreachable({ target: slice.name, address: bmc.address });
        const parsed: unknown = answer.body === '' ? null : JSON.parse(answer.body);
        const { status } = answer;
        if (status >= 300)
          throw errors.redfishError({ target: slice.name, request: `${method} ${path}`, status, message: 'refused' });
        return { status, body: parsed, headers: answer.headers };
      };
      const write = (method: string, path: string, body: unknown): RedfishReply => {
        tick(`before ${method} ${path}`);
        const reply = send(method, path, body);
        tick(`after ${method} ${path}`);
        return reply;
      };
      return {
        target: slice.name,
        get: async (resource) => send('GET', resource.path).body,
        patch: async (path, body) => write('PATCH', path, body),
        post: async (path, body) => write('POST', path, body),
        patchSecret: () => Promise.reject(new Error('no secret goes to the controller of a host')),
        waitTask: () => Promise.reject(new Error('power has no tasks')),
      };
    },
  };
}
