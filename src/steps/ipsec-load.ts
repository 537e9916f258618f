import { z } from 'zod';
import type { Secret } from '../domain/secret.ts';
import type { ApplyContext, End } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readStrongswan } from '../facts/swanctl.ts';
import { connectionName, connectionText, ipsecFiles } from './ipsec-conf.ts';
import type { IpsecSides } from './ipsec-conf.ts';
import { armOfEnd, expectOthersFiled, startOn, swanctl, terminateOn } from './ipsec-daemon.ts';
import { loadFailure } from './ipsec-failure.ts';
import type { IpsecSide } from './ipsec-plan.ts';
import { loadPrefix } from './ipsec-plan.ts';
import { connectionWithSecret, pemPart } from './ipsec-secret.ts';
import { pairName } from './measure-ends.ts';
import { runOk, writeRootFile } from './remote.ts';

const filePrefix = 'write: ';

const Written = z.strictObject({ end: z.enum(['a', 'b']), files: z.array(z.string().min(1)) });

/** Writes the connection on a card and has strongSwan load it; starts strongSwan where it does not run. */
export async function loadOn(context: ApplyContext, end: End, { card, sides, unit }: IpsecSide): Promise<void> {
  await startOn(context, end, { card, unit });
  const arm = await armOfEnd(context, end);
  const { signal } = context;
  const files = await filesOf(context, sides);
  const before = { end: end.name, files: files.map(({ path }) => path) };
  await context.act({ name: `${filePrefix}${card}`, text: `${card}: write the connection`, before }, async () => {
    for (const { path, content } of files) await writeRootFile(arm, { path, mode: '600', content }, { signal });
    return { evidence: before.files.join(', '), value: undefined };
  });
  await context.act({ name: `${loadPrefix}${card}`, text: `${card}: load the connection` }, async () => {
    await expectOthersFiled(arm, sides.pair, context);
    const name = connectionName(sides.pair);
    await runOk(arm, [...swanctl, '--load-creds', '--noprompt'], { timeoutMs: 60_000, signal });
    // It ends with an error also where the connection of somebody else cannot be loaded.
    const loaded = await arm.run([...swanctl, '--load-conns'], { timeoutMs: 60_000, signal });
    const now = await readStrongswan(arm, signal);
    const output = `${loaded.stdout}\n${loaded.stderr}`;
    if (output.includes(`loading connection '${name}' failed`) || !(now?.connections ?? []).includes(name))
      throw loadFailure({ card, other: sides.other.card, offload: sides.ipsec.offload }, name, output);
    return { evidence: `loaded ${name}`, value: undefined };
  });
}

/** The files of a card, secrets in their class. Errors: credential-missing, credential-unreadable, ipsec-credential-unusable. */
async function filesOf(
  context: ApplyContext,
  sides: IpsecSides,
): Promise<readonly { readonly path: string; readonly content: string | Secret }[]> {
  const { auth } = sides.ipsec;
  const paths = ipsecFiles(sides.pair);
  if (auth.kind === 'psk') {
    const secret = await context.credentials.named(auth.secret);
    return [{ path: paths.connection, content: connectionWithSecret(sides, secret) }];
  }
  const part = async (ref: string, kind: 'CERTIFICATE' | 'PRIVATE KEY'): Promise<Secret> => {
    const found = pemPart(await context.credentials.named(ref), kind);
    if (found !== undefined) return found;
    throw errors.ipsecCredentialUnusable({ ref, lacks: kind === 'CERTIFICATE' ? 'certificate' : 'private key' });
  };
  return [
    { path: paths.authority, content: await part(auth.ca, 'CERTIFICATE') },
    { path: paths.certificate, content: await part(auth.bundle, 'CERTIFICATE') },
    { path: paths.key, content: await part(auth.bundle, 'PRIVATE KEY') },
    { path: paths.connection, content: connectionText(sides) },
  ];
}

/** Has this run written anything of the connection on the card? */
export function hasWritten(context: ApplyContext, end: End): boolean {
  return context.actions.some(
    ({ action, before }) => action.startsWith(filePrefix) && Written.safeParse(before).data?.end === end.name,
  );
}

/** Ends our associations on a card, removes our files and has exactly our connection and secret unloaded. */
export async function unloadOn(context: ApplyContext, end: End): Promise<void> {
  const arm = await armOfEnd(context, end);
  const { signal } = context;
  const pair = pairName(context);
  const name = connectionName(pair);
  const card = end.dpu.name;
  const files = context.actions.flatMap(({ action, before }) => {
    const written = action.startsWith(filePrefix) ? Written.safeParse(before).data : undefined;
    return written?.end === end.name ? written.files : [];
  });
  const act = { name: `unload: ${card}`, text: `${card}: end IPsec and unload the connection ${name}` };
  await context.act(act, async () => {
    await terminateOn(context, arm, name);
    await runOk(arm, ['sudo', '-n', 'rm', '-f', '--', ...new Set(files)], { timeoutMs: 30_000, signal });
    const loaded = (await readStrongswan(arm, signal))?.connections;
    if (loaded === undefined) return { evidence: 'files removed, strongSwan does not run', value: undefined };
    await expectOthersFiled(arm, pair, context);
    await runOk(arm, [...swanctl, '--load-creds', '--noprompt'], { timeoutMs: 60_000, signal });
    await arm.run([...swanctl, '--load-conns'], { timeoutMs: 60_000, signal });
    if ((await readStrongswan(arm, signal))?.connections.includes(name))
      throw errors.benchLeftBehind({ host: arm.name, what: `the connection ${name} of strongSwan` });
    return { evidence: `${name} unloaded, files removed`, value: undefined };
  });
}
