/** Programs that hosts and Arms share. */
import { aptGet } from '../packages/apt.ts';
import { packagePrograms } from '../packages/dpkg.ts';
import { fetchPrograms } from '../packages/fetch.ts';
import { fromCommand } from '../shell/programs.ts';
import type { Program } from '../shell/types.ts';
import { connectionPrograms } from './connections.ts';
import { copyTools } from './copy-tools.ts';
import { df } from './disk.ts';
import { fileTools } from './file-tools.ts';
import { find } from './find.ts';
import { free } from './free.ts';
import { fuser } from './fuser.ts';
import { ip } from './ip.ts';
import { lookTools } from './look-tools.ts';
import { lsblk } from './lsblk.ts';
import { mlxlink } from './mlxlink.ts';
import { modulePrograms } from './modules.ts';
import { findmnt } from './mounts.ts';
import { awk } from './awk.ts';
import { prefixPrograms } from './prefixes.ts';
import { openssl } from './openssl.ts';
import { processPrograms } from './processes.ts';
import { shutdownPrograms } from './shutdown.ts';
import { sed } from './sed.ts';
import { nproc } from './cpus.ts';
import { sysctl } from './sysctl.ts';
import { surroundingPrograms } from './surroundings.ts';
import { systemdPrograms } from './systemd.ts';
import { tailscalePrograms } from './tailscale.ts';
import { textFilters } from './text-filters.ts';
import { textTools } from './text-tools.ts';
import { systemdTmpfiles } from './tmpfiles.ts';

/** Name -> program. */
export const commonPrograms: Record<string, Program> = {
  ...fileTools,
  ...copyTools,
  ...lookTools,
  ...textTools,
  ...textFilters,
  ...prefixPrograms,
  ...surroundingPrograms,
  ...processPrograms,
  ...systemdPrograms,
  ...shutdownPrograms,
  ...packagePrograms,
  ...fetchPrograms,
  ...modulePrograms,
  ...connectionPrograms,
  ...tailscalePrograms,
  awk,
  mawk: awk,
  gawk: awk,
  sed,
  df,
  find,
  findmnt,
  fuser,
  ip,
  lsblk,
  free: fromCommand(free),
  mlxlink: fromCommand(mlxlink),
  openssl,
  sysctl,
  'systemd-tmpfiles': systemdTmpfiles,
  nproc,
  'apt-get': aptGet,
  apt: aptGet,
};
