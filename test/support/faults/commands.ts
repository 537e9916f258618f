import { mode } from '../../../jobs/mode.ts';
import { provision } from '../../../jobs/provision.ts';
import { reboot } from '../../../jobs/reboot.ts';
import { recover } from '../../../jobs/recover.ts';
import { reflash } from '../../../jobs/reflash.ts';
import { rotate } from '../../../jobs/rotate.ts';
import type { Look } from '../../../src/domain/look.ts';
import type { Recipe } from '../../../src/domain/step.ts';
import { consoleLook } from '../../../src/looks/console.ts';
import { diag } from '../../../src/looks/diag.ts';
import { status } from '../../../src/looks/status.ts';

/** A line of a person, as the bot would turn it into a run. */
export interface Command {
  readonly recipe?: Recipe;
  readonly look?: Look;
  readonly params: object;
  readonly image?: string;
}

const provisioning = (params: object): Command => ({ recipe: provision, params });
const reflashing = (via: 'rshim' | 'redfish', image: string): Command => ({
  recipe: reflash,
  params: { reflash: true, force: true, via },
  image,
});
const recovering = (what: string): Command => ({ recipe: recover, params: { what } });
const probing = (probe: string): Command => ({ look: diag, params: { probe } });

const all = {
  '/dpu provision': provisioning({}),
  '/dpu provision --set-mode': provisioning({ setMode: true }),
  '/dpu provision --adopt': provisioning({ adopt: true }),
  '/dpu provision --reflash': provisioning({ reflash: true }),
  '/dpu reflash --image bf-2.9.2-patched': reflashing('rshim', 'bf-2.9.2-patched'),
  '/dpu reflash --image bf-2.9.2': reflashing('rshim', 'bf-2.9.2'),
  '/dpu reflash --image bf-2.9.2 --via redfish': reflashing('redfish', 'bf-2.9.2'),
  '/dpu mode nic': { recipe: mode, params: { mode: 'nic' } },
  '/dpu mode dpu': { recipe: mode, params: { mode: 'dpu' } },
  '/dpu reboot arm': { recipe: reboot, params: { what: 'arm' } },
  '/dpu reboot bmc': { recipe: reboot, params: { what: 'bmc' } },
  '/dpu reboot host': { recipe: reboot, params: { what: 'host' } },
  '/dpu reboot host --cold': { recipe: reboot, params: { what: 'host', cold: true } },
  '/dpu rotate bmc': { recipe: rotate, params: { what: 'bmc' } },
  '/dpu rotate arm': { recipe: rotate, params: { what: 'arm' } },
  '/dpu recover arm-password': recovering('arm-password'),
  '/dpu recover bmc-password': recovering('bmc-password'),
  '/dpu recover uefi-password': recovering('uefi-password'),
  '/dpu recover dpu-mode': recovering('dpu-mode'),
  '/dpu recover factory-bmc': recovering('factory-bmc'),
  '/dpu recover stuck-rshim': recovering('stuck-rshim'),
  '/dpu status --refresh': { look: status, params: {} },
  '/dpu console': { look: consoleLook, params: {} },
  '/dpu diag links': probing('links'),
  '/dpu diag bmc-log': probing('bmc-log'),
  '/dpu diag temperatures': probing('temperatures'),
  '/dpu diag pcie': probing('pcie'),
  '/dpu diag secure-boot': probing('secure-boot'),
} satisfies Record<string, Command>;

export type CommandName = keyof typeof all;

/** The commands in which faults strike. */
export const commands: Readonly<Record<CommandName, Command>> = all;
