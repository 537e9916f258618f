import { randomBytes } from 'node:crypto';
import { AdvanceJob, PlanJob, UnitJob } from '../jobs/payloads.ts';
import { bench } from '../jobs/bench.ts';
import { inspect } from '../jobs/inspect.ts';
import { mode } from '../jobs/mode.ts';
import { provision } from '../jobs/provision.ts';
import { reboot } from '../jobs/reboot.ts';
import { recover } from '../jobs/recover.ts';
import { reflash } from '../jobs/reflash.ts';
import { rotate } from '../jobs/rotate.ts';
import type { WorkerConfig } from './config.ts';
import type { DeviceClock } from './domain/device-ports.ts';
import type { HostSlice, Inventory } from './domain/inventory.ts';
import { advance } from './engine/advance.ts';
import type { EngineDeps } from './engine/deps.ts';
import { runPlanJob } from './engine/plan-job.ts';
import { rememberCards } from './engine/remember-cards.ts';
import { runUnit } from './engine/run-unit.ts';
import { sweep } from './engine/sweep.ts';
import { loadInventory, watchInventory } from './inventory-file.ts';
import type { Log } from './log.ts';
import { createLog } from './log.ts';
import { consoleLook } from './looks/console.ts';
import { diag } from './looks/diag.ts';
import { status } from './looks/status.ts';
import { createJobQueue } from './queue/job-queue.ts';
import { startWorkers } from './queue/workers.ts';
import { serveMetrics } from './serve-metrics.ts';
import { closeOnSignal } from './shutdown.ts';
import { checkRedis } from './store/check-redis.ts';
import { createStores } from './store/index.ts';
import { connect } from './store/redis.ts';
import { createSecretStores } from './store/secret-stores.ts';
import { createDeviceClock, systemClock } from './transport/device-clock.ts';
import { createRedactor } from './transport/redact.ts';
import { createHostBmcAccess } from './transport/redfish/host-bmc.ts';
import { createBmcAccess } from './transport/redfish/login.ts';
import { createArmAccess } from './transport/ssh/arm-access.ts';
import { createHostAccess } from './transport/ssh/host-access.ts';

const leaseMs = 10_000;
const renewMs = 3_000;
const drainMs = 20_000;
/** Ended runs and their journals are kept this long; the audit list is kept for good. */
const keepRunsMs = 90 * 24 * 3_600_000;
const pruneEveryMs = 3_600_000;

/** Runs a worker until it is told to stop. Holds SSH keys and BMC passwords, never a Slack token. */
export async function runWorker(config: WorkerConfig): Promise<void> {
  const redactor = createRedactor();
  for (const identity of config.ageIdentities) redactor.add(identity);
  const log = createLog({ name: 'worker', level: config.logLevel, redact: (text) => redactor.redact(text) });
  let inventory = await loadInventory(config.inventoryPath);
  // First, because a second worker that was started by mistake ends here, before it counts as a new life of this one.
  const stopMetrics =
    config.metricsPort === undefined ? undefined : await serveMetrics(config.metricsPort, () => undefined);
  const space = await connect(config.redisUrl.reveal(), 'worker', { logger: log });
  await checkRedis(space);
  const queueSpace = await space.open('queue');
  const stores = createStores(space, { clock: systemClock, logger: log });
  const secrets = createSecretStores(space, {
    identities: config.ageIdentities,
    escrowDirectory: config.escrowDirectory,
    clock: systemClock,
  });
  const queue = createJobQueue({ connection: queueSpace.client, logger: log });
  const clockOf = deviceClocks(config.labTimeFactor);
  const hosts = createHostAccess({ key: (ref) => secrets.credentials.named(ref), redactor, log });
  const bmc = createBmcAccess({
    hosts,
    credentials: secrets.credentials,
    pins: stores.pins,
    budget: secrets.loginBudget,
    records: stores.records,
    clock: clockOf,
    redactor,
    log,
  });
  const arm = createArmAccess({
    hosts,
    key: (ref) => secrets.credentials.named(ref),
    pins: stores.pins,
    redactor,
    log,
  });
  const hostBmc = createHostBmcAccess({
    credentials: secrets.credentials,
    budget: secrets.loginBudget,
    clock: clockOf,
    redactor,
    log,
  });
  const deps: EngineDeps = {
    ...stores,
    recipes: { provision, inspect, reflash, mode, reboot, rotate, recover, bench },
    looks: { status, console: consoleLook, diag },
    queue,
    clock: systemClock,
    devices: {
      hosts,
      bmc,
      arm,
      hostBmc,
      records: stores.records,
      pins: stores.pins,
      credentials: secrets.credentials,
      escrow: secrets.escrow,
      random: { bytes: (count) => randomBytes(count) },
      clockOf,
    },
    worker: { id: config.workerId, incarnation: await stores.incarnations.next(config.workerId) },
    inventory: () => inventory,
    log,
    leaseMs,
    renewMs,
  };
  const workers = await startWorkers({
    connection: queueSpace.client,
    sites: servedSites(config, inventory, log),
    jobs: {
      advance: {
        parse: (data) => AdvanceJob.parse(data),
        handle: async (job) => {
          await advance(deps, job);
          return undefined;
        },
      },
      plan: {
        parse: (data) => PlanJob.parse(data),
        handle: async (job, signal) => {
          await runPlanJob(deps, job, signal);
          return undefined;
        },
      },
      unit: {
        parse: (data) => UnitJob.parse(data),
        handle: async (job, signal) => {
          const again = await runUnit(deps, job, signal);
          await rememberCards(deps, job, signal);
          return again;
        },
      },
      sweep: async () => sweep(deps),
    },
    logger: log,
  });
  const pruning = setInterval(() => {
    stores.runs.prune(systemClock.nowMs() - keepRunsMs, 100).then(
      (removed) => (removed.length > 0 ? log.info({ removed }, 'old runs removed') : undefined),
      (error: unknown) => log.warn({ problem: String(error) }, 'old runs could not be removed'),
    );
  }, pruneEveryMs);
  const watch = watchInventory(
    config.inventoryPath,
    (changed) => {
      inventory = changed;
      log.info({ hosts: Object.keys(changed.hosts).length }, 'inventory reloaded');
    },
    (error) => log.warn({ problem: error.failure.why }, 'broken inventory ignored'),
    { known: inventory },
  );
  closeOnSignal(log, drainMs + 10_000, async () => {
    watch.stop();
    clearInterval(pruning);
    await workers.close({ drainMs });
    await queue.close();
    await arm.close();
    await hostBmc.close();
    await bmc.close();
    await hosts.close();
    await stopMetrics?.();
    await queueSpace.close();
    await space.close();
  });
  log.info({ worker: config.workerId, incarnation: deps.worker.incarnation, sites: config.sites }, 'ready');
}

/** The lab's time factor counts on simulated sites only. */
function deviceClocks(timeFactor: number): (slice: HostSlice) => DeviceClock {
  const real = createDeviceClock({ timeFactor: 1, simulated: false });
  const simulated = createDeviceClock({ timeFactor, simulated: true });
  return (slice) => (slice.simulated ? simulated : real);
}

/** A site that the inventory does not have is served all the same: it may come with the next reload. */
function servedSites(config: WorkerConfig, inventory: Inventory, log: Log): readonly string[] {
  for (const site of config.sites)
    if (inventory.sites[site] === undefined) log.warn({ site }, 'the inventory has no such site yet');
  return config.sites;
}
