/** The package database of a machine. */
import type { Machine } from '../shell/types.ts';
import { initialPackages, packageOfProgram } from './state.ts';
import type { PackageState } from './state.ts';

const none = initialPackages({});

/** Packages of a host or an Arm. */
export function packagesOf(machine: Machine): PackageState {
  return machine.host?.packages ?? machine.card?.armOs.packages ?? none;
}

/** Is the package that brings this program installed? */
export function programInstalled(machine: Machine, name: string): boolean {
  const packageName = packageOfProgram[name];
  return packageName === undefined || packagesOf(machine).installed[packageName]?.status === 'installed';
}
