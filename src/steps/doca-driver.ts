import type { ApplyContext } from '../domain/step.ts';
import type { OpsError } from '../errors.ts';
import { errors } from '../errors.ts';
import { readBuiltDriver, readLoadedDriver } from '../facts/doca.ts';
import { parseDriverRestart } from '../facts/drivers.ts';
import { readRshimService } from '../facts/rshim.ts';
import { runRootJob } from './apt-job.ts';
import type { JobEnd } from './job-watch.ts';
import { lastLine } from './job-watch.ts';

/** `openibd` comes with DOCA; where a package set leaves it out the modules are exchanged by hand. */
const reloadScript =
  'if [ -x /etc/init.d/openibd ]; then exec /etc/init.d/openibd restart; fi; ' +
  'modprobe -r mlx5_ib mlx5_core; modprobe mlx5_core && modprobe mlx5_ib';

const buildMs = 1_200_000;
const reloadMs = 300_000;
const rshimWaitMs = 60_000;

/**
 * Brings the wanted mlx5_core into the kernel: builds it where the package did not, then reloads. Nothing is reloaded when
 * the wanted one is loaded already. Errors: driver-not-loaded.
 */
export async function loadDriver(context: ApplyContext, wanted: string, kernel: string): Promise<void> {
  const { host, signal } = context;
  if ((await readLoadedDriver(host, signal)) === wanted) return;
  if ((await readBuiltDriver(host, signal)) !== wanted) await buildDriver(context, wanted, kernel);
  const end = await runRootJob(context, host, {
    label: 'doca',
    name: 'reload-driver',
    text: `load mlx5_core ${wanted}: links of NVIDIA cards drop`,
    argv: ['env', 'LC_ALL=C', 'sh', '-c', reloadScript],
    limitMs: reloadMs,
  });
  await context.snippet(`driver reload on ${host.name}`, end.tail);
  const loaded = await readLoadedDriver(host, signal);
  if (loaded !== wanted) throw notLoaded(context, wanted, loaded, end);
}

/** DKMS builds in the package's script only for kernels whose headers are there at that moment. */
async function buildDriver(context: ApplyContext, wanted: string, kernel: string): Promise<void> {
  const { host, signal } = context;
  const end = await runRootJob(context, host, {
    label: 'doca',
    name: 'build-driver',
    text: `build mlx5_core ${wanted} for kernel ${kernel}`,
    argv: ['env', 'LC_ALL=C', 'dkms', 'autoinstall', '-k', kernel],
    limitMs: buildMs,
  });
  const built = await readBuiltDriver(host, signal);
  if (built === wanted) return;
  await context.snippet(`dkms autoinstall on ${host.name}`, end.tail);
  throw errors.driverNotLoaded({
    host: host.name,
    wanted,
    loaded: await readLoadedDriver(host, signal),
    why:
      end.exitCode === 0
        ? `The packages bring mlx5_core ${built} for kernel ${kernel}: \`doca.driver\` of the profile does not fit its repository.`
        : `The module could not be built for kernel ${kernel} (dkms ended with ${end.exitCode}: ${lastLine(end.tail)}).`,
    next:
      end.exitCode === 0
        ? 'Correct `doca.driver` in the profile and make a new plan.'
        : `Read /var/lib/dkms/mlnx-ofed-kernel/*/build/make.log on ${host.name}, or boot a kernel that DOCA supports.`,
    run: context.runId,
    evidence: end.tail.slice(-600),
  });
}

/** Why the wanted module is not the loaded one, from what the reload printed. */
function notLoaded(context: ApplyContext, wanted: string, loaded: string, end: JobEnd): OpsError {
  const { name: host } = context.host;
  const restart = parseDriverRestart(end.tail);
  const said = restart.complaints.at(-1) ?? lastLine(end.tail);
  const isRejected = /rejected by service|Required key not available|Loading of unsigned module/i.test(end.tail);
  const isInUse = /is in use|Device or resource busy/i.test(end.tail);
  const next = isRejected
    ? `Enrol the key of the module (\`sudo mokutil --import /var/lib/shim-signed/mok/MOK.der\`, confirm it on the console at the next boot), or switch Secure Boot of ${host} off.`
    : isInUse
      ? `End what uses it on ${host} (storage over RDMA, VMs), or restart ${host}: it loads the new driver then.`
      : `Restart ${host}: it loads the new driver then; or run \`sudo /etc/init.d/openibd restart\` there and read what it says.`;
  const why = isRejected
    ? `Secure Boot of ${host} rejects the module: ${said}.`
    : isInUse
      ? `The old driver cannot be unloaded: ${said}.`
      : `The reload ended with ${end.exitCode}${said === '' ? '' : `: ${said}`}.`;
  return errors.driverNotLoaded({
    host,
    wanted,
    loaded: loaded === 'none' ? "the kernel's own, or none" : loaded,
    why,
    next,
    run: context.runId,
    evidence: end.tail.slice(-600),
  });
}

/** Starts rshim, now and at every boot, and waits until it runs. Errors: rshim-not-running. */
export async function startRshim(context: ApplyContext): Promise<void> {
  const { host, signal, clock, runId } = context;
  const before = await readRshimService(host, signal);
  if (before === 'running') return;
  if (before === 'missing')
    throw errors.rshimNotRunning({ host: host.name, why: 'No package brought it.', run: runId });
  await context.act({ name: 'start-rshim', text: `start rshim on ${host.name}`, before }, async () => {
    const argv = ['sudo', '-n', 'systemctl', 'enable', '--now', 'rshim.service'];
    const result = await host.run(argv, { timeoutMs: 90_000, signal });
    const untilMs = clock.nowMs() + clock.deadlineMs(rshimWaitMs);
    while ((await readRshimService(host, signal)) !== 'running') {
      if (clock.nowMs() > untilMs)
        throw errors.rshimNotRunning({
          host: host.name,
          why: `\`systemctl enable --now rshim\` ended with ${result.exitCode}, and the service is not active.`,
          run: runId,
          evidence: `${result.stdout}${result.stderr}`.trim().slice(-400),
        });
      await clock.poll(2_000, signal);
    }
    return { evidence: 'rshim.service is active', value: undefined };
  });
}
