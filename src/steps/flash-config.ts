import { Secret } from '../domain/secret.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { hashPassword } from './flash-arm-password.ts';
import { configPath, renderBfCfg, shellSafePassword } from './flash-bf-cfg.ts';
import type { FlashParams } from './flash-params.ts';
import { runOk, writeRootFile } from './remote.ts';

/** Writes the bf.cfg of this flash, readable by root only, and has bash look at it. */
export async function writeBfCfg(
  context: ApplyContext,
  params: FlashParams,
  serial: string,
  password: Secret,
): Promise<string> {
  const path = configPath(serial);
  const publicKey = await context.arm.publicKey(context.card);
  const bmcPassword = params.bmcComponents === 'update' ? await currentBmcPassword(context, serial) : undefined;
  const content = renderBfCfg({
    image: params.image,
    runId: context.runId,
    serial,
    user: params.user,
    passwordHash: hashPassword(password, context.random),
    publicKey,
    hostname: params.hostname,
    bmcPassword: bmcPassword?.reveal(),
  });
  await context.act({ name: 'write-bf-cfg', text: `write ${path}` }, async () => {
    const { signal } = context;
    await writeRootFile(context.host, { path, mode: '600', content: new Secret(content) }, { signal });
    await checkSyntax(context, path);
    return { evidence: `${path}, mode 600, bash -n finds nothing wrong`, value: undefined };
  });
  return path;
}

/** What bash complains about is not shown: it quotes the line, which may hold a secret. */
async function checkSyntax({ host, signal }: ApplyContext, path: string): Promise<void> {
  const { exitCode } = await host.run(['sudo', '-n', 'bash', '-n', path], { timeoutMs: 30_000, signal });
  if (exitCode === 0) return;
  const output = 'What it printed is not shown, since it may quote a secret.';
  throw errors.commandFailed({ host: host.name, command: `bash -n ${path}`, exitCode, output });
}

async function currentBmcPassword(context: ApplyContext, serial: string): Promise<Secret> {
  const fail = (why: string): Error =>
    errors.bmcUpdateFailed({ target: context.dpu.name, why, run: context.runId, state: 'unchanged' });
  const current = (await context.credentials.bmc({ serial })).find((entry) => entry.slot === 'current');
  if (current === undefined) throw fail('The installer needs the BMC password, and dpubot does not know it.');
  if (shellSafePassword.test(current.secret.reveal())) return current.secret;
  throw fail('The BMC password has characters that the scripts of the installer do not bear.');
}

/** Removes the bf.cfg, also one that was not written to its end; fine when it is gone. */
export async function removeBfCfg(context: ApplyContext, serial: string): Promise<void> {
  const path = configPath(serial);
  const argv = ['sudo', '-n', 'rm', '-f', '--', `${path}.dpubot-new`, path];
  await runOk(context.host, argv, { timeoutMs: 30_000, signal: context.signal });
}
