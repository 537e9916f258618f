/** Keys that may log in to a machine, as sshd reads them. Source: sshd(8) AUTHORIZED_KEYS, StrictModes. */
import type { Machine } from './shell/types.ts';

/** Lines of a user's authorized_keys; none when sshd would not take the file. */
export function hostKeysOf(machine: Machine, user: string): string[] {
  const home = user === 'root' ? '/root' : `/home/${user}`;
  const path = `${home}/.ssh/authorized_keys`;
  const { files } = machine;
  const node = files.find(path);
  if (node?.kind !== 'file') return [];
  const owned = (place: string): boolean => {
    const each = files.find(place);
    return each !== null && (each.owner === user || each.owner === 'root') && (each.mode & 0o022) === 0;
  };
  // The file is read as the user: what belongs to root must be readable for others.
  if (!owned(path) || !owned(`${home}/.ssh`) || !files.allows(node, { user, root: false }, 4)) return [];
  return node.text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
}
