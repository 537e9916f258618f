/**
 * /sys/class/net/pN/compat/devlink of an Arm: what NVIDIA's driver has of devlink for kernels that lack it.
 *
 * Source: mlnx-tools mlnx_bf_configure (steering_mode is set in legacy mode), MLNX_OFED documentation (ipsec_mode).
 */
import type { ErrorName, LiveFiles } from '../files/nodes.ts';
import type { CardState, Rack } from '../state.ts';
import { advanceWire } from '../wire/advance.ts';
import { changeEswitch } from './bf-configure.ts';
import { pciFolder } from './pci.ts';

/** Put them in. */
export function compatFiles(rack: Rack, card: CardState, files: LiveFiles): void {
  for (const [port, eswitch] of card.armOs.dataPath.eswitches.entries()) {
    const folder = `${pciFolder(`0000:03:00.${port}`)}/net/p${port}/compat/devlink`;
    const file = (name: string, text: string, write: (text: string) => ErrorName | null): void =>
      void files.set(`${folder}/${name}`, {
        text: `${text}\n`,
        write: (value) => {
          advanceWire(rack);
          return write(value.trim());
        },
      });
    file('mode', eswitch.mode, (value) => {
      if (value !== 'legacy' && value !== 'switchdev') return 'EINVAL';
      changeEswitch(card, port, value);
      return null;
    });
    file('steering_mode', eswitch.steering, (value) => {
      if (value !== 'dmfs' && value !== 'smfs') return 'EINVAL';
      eswitch.steering = value;
      return null;
    });
    file('ipsec_mode', eswitch.ipsecMode, (value) => {
      if (value !== 'none' && value !== 'full') return 'EINVAL';
      eswitch.ipsecMode = value;
      return null;
    });
  }
}
