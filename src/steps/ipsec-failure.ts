import type { OpsError } from '../errors.ts';
import { errors } from '../errors.ts';

/** Two cards that talk IKE, as errors name them. */
export interface Talking {
  readonly card: string;
  readonly other: string;
  /** Where the other one is asked. */
  readonly address: string;
  readonly isOffloadWanted: boolean;
}

/** What the failure of an association needs to be told: the card whose hardware refused, and why it may have. */
export interface OffloadRefusal {
  readonly side: 'own' | 'other';
  readonly said: string;
}

/** Lines of a log without its tags: `[KNL] `, `11[KNL] `. */
function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/^.*?\[[A-Z]{3}\]\s*/, '').trim())
    .filter((line) => line !== '');
}

const refusals = [
  /HW offload is not supported by (?:device|kernel)/,
  /failed to configure HW offload/,
  /netlink error: mlx5_core: /,
  /Device failed to offload this/,
];
/** Also of other troubles of the kernel: they count only where hardware was asked. */
const installFailures = [/netlink error: .*\(22\)/, /unable to install \w+ IPsec SA \(SAD\) in kernel/];

/** The line with which strongSwan says that hardware takes no association. Source: strongSwan, kernel_netlink_ipsec.c. */
export function offloadRefusal(text: string): string | undefined {
  const lines = linesOf(text);
  for (const pattern of [...refusals, ...installFailures]) {
    const line = lines.find((one) => pattern.test(one));
    if (line !== undefined) return line;
  }
  return undefined;
}

/**
 * Which card's hardware refused: the one that was asked says it itself; of the other one only its log does. Undefined: none
 * was asked, or it failed for another reason.
 */
export function whoRefused(
  { isOffloadWanted }: Pick<Talking, 'isOffloadWanted'>,
  output: string,
  otherLog: string,
): OffloadRefusal | undefined {
  if (!isOffloadWanted) return undefined;
  const own = offloadRefusal(output);
  if (own !== undefined) return { side: 'own', said: own };
  // The other one only says that it chose nothing: it could not install what it was offered.
  const other = /NO_PROPOSAL_CHOSEN|INTERNAL_ERROR|TEMPORARY_FAILURE/.test(output)
    ? offloadRefusal(otherLog)
    : undefined;
  return other === undefined ? undefined : { side: 'other', said: other };
}

/** Why `swanctl --initiate` failed, of everything but hardware that refuses. Source: strongSwan, swanctl initiate.c, ike tasks. */
export function initiateFailure({ card, other, address }: Talking, child: string, output: string): OpsError {
  const lines = linesOf(output);
  const find = (pattern: RegExp): string | undefined => lines.find((line) => pattern.test(line));
  const auth = find(/AUTHENTICATION_FAILED|no (?:shared|private|trusted \S+ public) key found|constraint check failed/);
  if (auth !== undefined) return errors.ipsecAuthFailed({ card, other, said: auth });
  const silent =
    find(/peer not responding/) ?? (find(/received packet/) === undefined ? find(/not established after/) : undefined);
  if (silent !== undefined) return errors.ipsecPeerSilent({ card, other, address, said: silent });
  const first = find(/^initiate failed: /)?.replace('initiate failed: ', '');
  const what = first ?? `${child} was not reported as established`;
  const said = find(/received \S+ notify|unable to|failed to|not found|no acceptable/) ?? lines.at(-1) ?? 'nothing';
  return errors.ipsecNotUp({ card, other, what, said });
}

/** Why a connection was not loaded. */
export function loadFailure(
  { card, other, offload }: Pick<Talking, 'card' | 'other'> & { readonly offload: string },
  connection: string,
  output: string,
): OpsError {
  const begin = `loading connection '${connection}' failed: `;
  const line = linesOf(output).find((one) => one.startsWith(begin));
  const said = line?.slice(begin.length) ?? linesOf(output).at(-1) ?? 'nothing';
  if (/invalid value for: hw_offload/.test(said)) return errors.ipsecOffloadUnknown({ card, value: offload, said });
  return errors.ipsecNotUp({ card, other, what: `${connection} was not loaded on ${card}`, said });
}
