import type { ArmAccess, ArmLogin } from '../../../src/domain/arm-ports.ts';
import type { HostAccess, HostSession } from '../../../src/domain/device-ports.ts';
import { errors, OpsError } from '../../../src/errors.ts';
import { expectReaders } from '../../../src/transport/console/console.ts';
import type { CardModel, HostModel } from '../../../src/lab/rack/model.ts';
import type { World } from '../engine-world.ts';
import { createRackArms } from '../rack-arm.ts';
import type { RackMachine } from '../rack-session.ts';
import { createRackSession } from '../rack-session.ts';
import { createRackConsole } from './wire-console.ts';

const noTick = (): void => undefined;
const otherKey = `SHA256:${'B'.repeat(43)}`;

type Start = HostModel['start'] | CardModel['armStart'];

/** What the faults of SSH do to the commands of a machine: a connection that breaks after a command, one that hangs. */
function faulty(
  world: World,
  name: string,
  start: Start,
  isThere: () => boolean,
): Pick<RackMachine, 'start' | 'isThere'> {
  const { rack } = world;
  let broken = false;
  return {
    isThere: () => {
      if (broken) {
        broken = false;
        return false;
      }
      return isThere() && !rack.hasFault('ssh-refuse', name);
    },
    start: (...words) => {
      if (rack.hasFault('ssh-hang', name, 'use')) return hanging;
      const program = start(...words);
      if (program === null) return null;
      const ended = (): ReturnType<typeof program.ended> => {
        const end = program.ended();
        if (end === null || !rack.hasFault('ssh-drop', name, 'use')) return end;
        broken = true;
        return null;
      };
      return { ...program, ended };
    },
  };
}

const hanging = { pid: 1, write: noTick, endInput: noTick, ended: () => null, hangUp: noTick };

/** What a pool of connections adds: a machine that is away is not reached, and a read that was cut off is asked again. */
function pooled(session: HostSession, isAway: () => boolean, address: string): HostSession {
  const { name } = session;
  const reached = async <T>(call: () => Promise<T>): Promise<T> => {
    if (isAway()) throw errors.sshUnreachable({ host: name, address });
    return call();
  };
  return {
    ...session,
    read: async (command, options) =>
      reached(async () =>
        session.read(command, options).catch(async (error: unknown) => {
          if (!(error instanceof OpsError) || error.code !== 'ssh-lost') throw error;
          return reached(async () => session.read(command, options));
        }),
      ),
    run: async (argv, options) => reached(async () => session.run(argv, options)),
    startDetached: async (...words) => reached(async () => session.startDetached(...words)),
    observeDetached: async (...words) => reached(async () => session.observeDetached(...words)),
    readDetachedLog: async (...words) => reached(async () => session.readDetachedLog(...words)),
    stopDetached: async (...words) => reached(async () => session.stopDetached(...words)),
    upload: async (...words) => reached(async () => session.upload(...words)),
  };
}

/** SSH to the hosts of a rack model, with the faults that a network and an SSH server have. */
export function createWireHosts(world: World): HostAccess {
  const { rack, clock } = world;
  return {
    open: async (slice): Promise<HostSession> => {
      const host = rack.host(slice.name);
      const { name, user, files, address } = host;
      const isThere = (): boolean => host.isUp() && host.isLinked();
      if (rack.hasFault('ssh-hostkey-changed', name)) throw errors.sshHostKeyChanged({ host: name, seen: otherKey });
      if (!isThere() || rack.hasFault('ssh-refuse', name)) {
        await Promise.resolve();
        throw errors.sshUnreachable({ host: name, address });
      }
      const start: Start = (...words) => host.start(...words);
      const session = createRackSession({ name, user, files, ...faulty(world, name, start, isThere) }, clock, noTick);
      return pooled(session, () => !isThere() || rack.hasFault('ssh-refuse', name), address);
    },
    close: async () => undefined,
  };
}

/** SSH to the Arms of a rack model, with the same faults, and their serial consoles. */
export function createWireArms(world: World): ArmAccess {
  const { rack, clock, stores } = world;
  const arms = createRackArms(rack, clock, stores.pins, noTick);

  function sessionOf(name: string): HostSession {
    const card = rack.card(name);
    const start: Start = (...words) => card.armStart(...words);
    const wire = faulty(world, name, start, () => card.armIsUp());
    const session = createRackSession({ name, user: 'ubuntu', files: card.armFiles, ...wire }, clock, noTick);
    return pooled(session, () => !card.armIsUp() || rack.hasFault('ssh-refuse', name), card.addresses.arm);
  }

  return {
    ...arms,
    login: async (ref, options): Promise<ArmLogin> => {
      const { name } = ref.dpu;
      if (rack.hasFault('ssh-refuse', name)) {
        const { failure } = errors.sshUnreachable({ host: name, address: rack.card(name).addresses.arm });
        return { state: 'unreachable', failure };
      }
      const pinned = await stores.pins.get('ssh-host-key', name);
      if (pinned !== undefined && rack.hasFault('ssh-hostkey-changed', name))
        throw errors.sshHostKeyChanged({ host: name, seen: otherKey, card: name });
      const login = await arms.login(ref, options);
      if (login.state !== 'in') return login;
      // An expired password lets a key in and then runs nothing but the change of it.
      if (rack.card(name).armPasswordExpired()) return { state: 'refused' };
      return { state: 'in', session: sessionOf(name) };
    },
    loginWithPassword: async (ref, attempt, options) => {
      const login = await arms.loginWithPassword(ref, attempt, options);
      return login.state === 'in' ? { state: 'in', session: sessionOf(ref.dpu.name) } : login;
    },
    // Whoever has it open is looked for before and after, with fuser, as over a network.
    console: async (card, device, options) => {
      const host = await createWireHosts(world).open(card.slice);
      await expectReaders(card, host, device, options, 0);
      const dialogue = createRackConsole(world, card, device);
      try {
        await expectReaders(card, host, device, options, 1);
        return dialogue;
      } catch (error) {
        await dialogue.close();
        throw error;
      }
    },
  };
}
