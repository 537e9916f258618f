import type { Doca } from '../domain/profile.ts';
import type { DocaState } from '../facts/doca.ts';

/** What is outside the support matrix, as text; undefined when the host is inside. */
export function unsupported({ platform }: DocaState, doca: Doca): string | undefined {
  const { os, release, kernel, machine } = platform;
  const repository = repositoryMachine(doca.repository);
  if (machine !== 'x86_64' && machine !== 'aarch64') return `on a machine of type ${machine}`;
  if (repository !== undefined && repository !== machine)
    return `on ${machine}, and the repository is for ${repository}`;
  const isSupported = doca.supports.some(
    (one) => one.os === os && one.release === release && one.kernels.some((prefix) => kernel.startsWith(prefix)),
  );
  return isSupported ? undefined : `${os} ${release} with kernel ${kernel}`;
}

/** NVIDIA's repositories name the machine in their path: `x86_64`, `arm64-sbsa`. A mirror need not. */
function repositoryMachine(url: string): 'x86_64' | 'aarch64' | undefined {
  const machine = /\/(x86_64|amd64|arm64-sbsa|aarch64|arm64)(?:\/|$)/.exec(url)?.[1];
  if (machine === undefined) return undefined;
  return machine === 'x86_64' || machine === 'amd64' ? 'x86_64' : 'aarch64';
}

/** The support matrix of the profile, a text a line. */
export function supportTexts(doca: Doca): readonly string[] {
  const repository = repositoryMachine(doca.repository);
  const machine = repository === undefined ? '' : ` on ${repository}`;
  return doca.supports.map((one) => `${one.os} ${one.release} with kernels ${one.kernels.join('*, ')}*${machine}`);
}
