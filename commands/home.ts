import { isStranger } from './dispatch.ts';
import { benchesOf, fleetOf } from './home-fleet.ts';
import { approvalsFor, heldHosts, openRuns, runsOf } from './home-runs.ts';
import type { HomePorts, HomeReader } from './home-ports.ts';
import { commands } from './registry.ts';
import { may, rolesOf } from '../src/domain/policy.ts';
import type { Person } from '../src/domain/ports.ts';
import { failureOf } from '../src/errors.ts';
import { homeMessage, refusedHome } from '../src/report/home.ts';
import type { HomeMessage } from '../src/report/home-model.ts';
import type { Answer } from '../src/report/message.ts';

/**
 * Draws the Home of a person. `fresh`: rights are read past every cache, where that can be done now; redrawings that
 * nobody asked for use what was read within the last minutes (a vote is judged on fresh rights when it is cast). `notice` is the answer
 * to a press. Never rejects: what goes wrong is drawn.
 */
export type DrawHome = (
  userId: string,
  options: { readonly fresh: boolean; readonly notice?: Answer },
) => Promise<HomeMessage>;

/**
 * So many of the drawings of a minute read rights past every cache: Slack lists user groups about 20 times a minute, and
 * presses on Approve need them more. The others use what was read within the last minutes, as commands do.
 */
const FRESH_PER_MINUTE = 6;

/** `onFailure` is for the log: it sees what the person is told. */
export function createHome(ports: HomePorts, onFailure: (error: unknown) => void = () => {}): DrawHome {
  const { directory, clock } = ports;
  let readFreshAtMs: readonly number[] = [];

  async function personOf(userId: string, fresh: boolean): Promise<Person> {
    const nowMs = clock.nowMs();
    readFreshAtMs = readFreshAtMs.filter((atMs) => nowMs - atMs < 60_000);
    if (!fresh || readFreshAtMs.length >= FRESH_PER_MINUTE) return directory.person(userId, { fresh: false });
    readFreshAtMs = [...readFreshAtMs, nowMs];
    return directory.person(userId, { fresh: true }).catch(async () => directory.person(userId, { fresh: false }));
  }

  return async (userId, { fresh, notice }) => {
    try {
      const person = await personOf(userId, fresh);
      return await drawHome(ports, person, notice);
    } catch (error) {
      onFailure(error);
      return refusedHome({ kind: 'failed', failure: failureOf(error) });
    }
  };
}

async function drawHome(ports: HomePorts, person: Person, notice: Answer): Promise<HomeMessage> {
  if (isStranger(ports, person)) return refusedHome({ kind: 'stranger' });
  const inventory = ports.inventory();
  const roles = rolesOf(inventory, person);
  if (roles.length === 0) {
    const forAll = commands.filter(({ who, changes }) => who === 'anyone' && !changes).map(({ name }) => name);
    return refusedHome({ kind: 'no-role', commands: forAll, operateRoles: inventory.policy.operate });
  }
  const reader: HomeReader = { ports, person, roles, mayOperate: may(inventory, roles, 'operate') };
  const open = await openRuns(ports);
  const [halt, approvals, runs, held, locks, fleet, benches] = await Promise.all([
    ports.halt.get(),
    approvalsFor(reader, open),
    runsOf(reader, open),
    heldHosts(reader, open),
    ports.locked?.() ?? [],
    fleetOf(ports),
    benchesOf(ports),
  ]);
  const model = { mayOperate: reader.mayOperate, halt, approvals, runs, held, locks, fleet, benches };
  return homeMessage(model, notice);
}
