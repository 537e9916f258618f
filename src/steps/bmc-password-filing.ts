import { knownBmc, unprovenKey } from '../domain/credential-key.ts';
import type { BmcSession, CredentialKey, CredentialSlot } from '../domain/device-ports.ts';
import { generateBmcPassword } from '../domain/password.ts';
import { Secret } from '../domain/secret.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { readDpuSystem } from '../facts/dpu-system.ts';
import { escrowLabel } from './escrow-label.ts';

const accountPath = '/redfish/v1/AccountService/Accounts/root';

/** Files the new password, writes the escrow, and sends it. After a crash in between, the pending one is used again. */
export async function sendNewPassword(context: ApplyContext, slot: CredentialSlot): Promise<void> {
  // Before the new one is filed: as pending it would be tried first, and cost one of two tries.
  const login = await context.bmc.login(context.card, { timeoutMs: 60_000, signal: context.signal });
  if (login.state !== 'in') throw errors.bmcLoginRefused({ target: context.dpu.name, tried: [slot] });
  const pending = await fileNewPassword(context, slot);
  await context.act({ name: 'patch-password', text: 'send the new password to the BMC', before: slot }, async () => {
    const evidence = await patchPassword(context, login.session, pending);
    context.bmc.forget(context.card);
    return { evidence, value: undefined };
  });
}

/** Files a new password as pending and in the escrow; one that is pending already is used again. `before`: what is in use. */
export async function fileNewPassword(context: ApplyContext, before: CredentialSlot | 'unknown'): Promise<Secret> {
  const { recipient } = context.slice;
  const key = await unproven(context);
  return context.act(
    { name: 'save-pending', text: 'file a new password as pending and write it to the escrow', before },
    async () => {
      const known = (await context.credentials.bmc(key)).find((entry) => entry.slot === 'pending');
      const secret = known?.secret ?? new Secret(generateBmcPassword(context.random));
      if (!known) await context.credentials.savePending(key, secret, recipient);
      await context.escrow.write({ label: escrowLabel(context, 'bmc'), recipient, secret, runId: context.runId });
      return {
        evidence: known ? 'the pending password is used again' : 'pending saved, escrow written',
        value: secret,
      };
    },
  );
}

/** Sends it. When the reply is lost a login decides: the new password works, or the change did not happen. */
async function patchPassword(context: ApplyContext, session: BmcSession, pending: Secret): Promise<string> {
  try {
    const options = { timeoutMs: 30_000, signal: context.signal };
    const reply = await session.patchSecret(accountPath, { Password: pending }, options);
    return `PATCH ${accountPath} -> ${reply.status}`;
  } catch (error) {
    if (!(error instanceof OpsError) || !['bmc-reply-lost', 'bmc-timeout', 'redfish-unexpected'].includes(error.code))
      throw error;
    context.bmc.forget(context.card);
    const after = await context.bmc.login(context.card, { timeoutMs: 60_000, signal: context.signal });
    if (after.state === 'in' && after.slot === 'pending')
      return `PATCH ${accountPath}: reply lost, but the new password works`;
    throw error;
  }
}

/**
 * The new password works. The BMC proves to be this card's before the password is filed under its serial; filing comes
 * before promoting, so that a crash in between leaves a pending entry that the next run finds and finishes.
 * `isReset`: dpubot itself has reset the BMC, so that its factory password says nothing about the card.
 */
export async function keepNewPassword(context: ApplyContext, { isReset }: { isReset: boolean }): Promise<void> {
  const target = context.dpu.name;
  const login = await context.bmc.login(context.card, { timeoutMs: 60_000, signal: context.signal });
  if (login.state !== 'in' || login.slot !== 'pending')
    throw errors.outcomeUnknown({
      what: `The BMC of ${target} does not accept the new password.`,
      why: `It took the change, and a login now ${login.state === 'in' ? `works with the ${login.slot} password` : `is ${login.state}`}.`,
      run: context.runId,
    });
  const { serial } = context.card;
  if (serial === undefined) throw errors.bug({ detail: 'the serial of the card was not read before its BMC' });
  const bmcSerial = (await readDpuSystem(login.session, context.signal)).serial;
  const key = await unproven(context);
  await context.act(
    { name: 'keep-password', text: 'file the new password as current', before: 'pending' },
    async () => {
      if (bmcSerial === serial) {
        await context.credentials.rekey(key, { serial });
        // A promoted password is satisfied: nothing would come back to remember it.
        if (!isReset) await rememberFactory(context, serial);
      }
      await context.credentials.promote(bmcSerial === serial ? { serial } : key);
      return { evidence: `a login with the new password worked; the BMC says serial ${bmcSerial}`, value: undefined };
    },
  );
  if (bmcSerial !== serial)
    throw errors.wrongCard({ target, vpdSerial: serial, bmcSerial, run: context.runId, state: 'changed' });
}

/** A card that had the factory password was set up by nobody: it may be flashed without asking what runs on it. */
async function rememberFactory(context: ApplyContext, serial: string): Promise<void> {
  const wasFactory = context.actions.some((action) => action.action === 'save-pending' && action.before === 'factory');
  const record = await context.records.get(serial);
  if (!wasFactory || (record !== undefined && record.origin !== 'unknown')) return;
  const { runId } = context;
  await context.records.put(serial, { ...record, origin: 'factory', runId, atMs: context.clock.nowMs() });
}

/**
 * Until the BMC behind the address has proven to be this card's, its password is filed under certificate and address: under
 * the serial it would be sent to, or taken for, another card's.
 */
async function unproven(context: ApplyContext): Promise<CredentialKey> {
  const options = { timeoutMs: 20_000, signal: context.signal };
  const bmc = await knownBmc(context.card, context.records);
  if (bmc === undefined) throw errors.bmcAddressAuto({ target: context.dpu.name });
  return unprovenKey(bmc, await context.bmc.fingerprint(context.card, options));
}
