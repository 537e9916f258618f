import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';

/** The capsule that gives UEFI its keys and its first password anew. It comes with the images of NVIDIA. */
export const keysCapsule = '/lib/firmware/mellanox/boot/capsule/EnrollKeysCap';

/** Source: NVIDIA BlueField BSP docs; Mellanox bfscripts (bfrec). */
export const capsuleOnArm = defineRead({ name: 'test -f EnrollKeysCap', argv: ['test', '-f', keysCapsule] });

/** Is the capsule there? Errors: command-failed. */
export async function hasKeysCapsule(arm: HostReader, signal: AbortSignal): Promise<boolean> {
  const { exitCode, stderr } = await arm.read(capsuleOnArm.bind({}), { timeoutMs: 15_000, signal });
  if (exitCode === 0 || exitCode === 1) return exitCode === 0;
  const output = stderr.trim().slice(0, 400);
  throw errors.commandFailed({ host: arm.name, command: `test -f ${keysCapsule}`, exitCode, output });
}
