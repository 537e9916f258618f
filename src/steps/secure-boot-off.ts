import type { ApplyContext } from '../domain/step.ts';
import { OpsError } from '../errors.ts';
import { readSecureBoot, secureBootResource } from '../facts/secure-boot.ts';
import { bmcSession } from './bmc-session.ts';

/**
 * Tells the BMC to have Secure Boot off from the next boots on; returns the evidence. When the reply is lost the setting is
 * read back: it shows whether the BMC took it.
 */
export async function patchSecureBootOff(context: ApplyContext): Promise<string> {
  const { path } = secureBootResource;
  const session = await bmcSession(context);
  try {
    const options = { timeoutMs: 30_000, signal: context.signal };
    const reply = await session.patch(path, { SecureBootEnable: false }, options);
    return `PATCH ${path} -> ${reply.status}`;
  } catch (error) {
    if (!(error instanceof OpsError) || !['bmc-reply-lost', 'bmc-timeout'].includes(error.code)) throw error;
    const after = await readSecureBoot(await bmcSession(context), context.signal);
    if (after.enable !== false) throw error;
    return `PATCH ${path}: reply lost, but it reads back as off`;
  }
}
