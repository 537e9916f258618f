import type { CardRecord } from '../domain/device-ports.ts';
import type { ObserveContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import type { ArmImage } from '../facts/card-image.ts';
import { readArmImage, readDpuOs } from '../facts/card-image.ts';
import type { SecureBoot } from '../facts/secure-boot.ts';
import { readSecureBoot } from '../facts/secure-boot.ts';
import { bmcReader } from './bmc-session.ts';
import { pushesOf } from './flash-attempts.ts';
import type { FlashParams } from './flash-params.ts';
import { observeRshim } from './flash-ownership.ts';
import type { RshimAccess } from './flash-ownership.ts';

/** What is known about the image of a card before anything is done. */
export interface FlashState {
  /** This run has begun to push and has not recorded the end of it. */
  readonly underWay: boolean;
  /** This run has flashed it and recorded that. */
  readonly recorded: boolean;
  /** The BMC still takes the factory password: nobody has set this card up. */
  readonly factoryPassword: boolean;
  readonly record: CardRecord | undefined;
  /** What the BMC was told of; undefined when nothing. */
  readonly dpuOs: string | undefined;
  /** What the Arm itself says; undefined when it was not asked. */
  readonly arm: ArmImage | undefined;
  readonly secureBoot: SecureBoot | undefined;
  readonly rshim: RshimAccess | undefined;
}

const toldPollMs = 10_000;
/** The BMC is told of a new system about 30 s after it is up. */
const toldLimitMs = 180_000;

/** Looks at record, BMC, and the Arm where a key login works there. An Arm that cannot be reached proves nothing. */
export async function observeFlash(context: ObserveContext, params: FlashParams): Promise<FlashState> {
  const { serial } = context.card;
  if (serial === undefined) throw errors.bug({ detail: 'the serial of the card was not read before its flash' });
  const record = await context.records.get(serial);
  const { underWay, recorded } = pushesOf(context.actions);
  if (underWay)
    return {
      underWay: true,
      recorded: false,
      factoryPassword: false,
      record,
      dpuOs: undefined,
      arm: undefined,
      secureBoot: undefined,
      rshim: undefined,
    };
  const login = await context.bmc.login(context.card, { timeoutMs: 60_000, signal: context.signal });
  const bmc = await bmcReader(context);
  return {
    underWay: false,
    recorded,
    factoryPassword: login.state === 'in' && (login.slot === 'factory' || login.mustChange),
    record,
    dpuOs: recorded ? await pollDpuOs(context, params.image.version) : await readDpuOs(bmc, context.signal),
    arm: await askArm(context, serial),
    secureBoot: params.secureBootMustBeOff ? await readSecureBoot(bmc, context.signal) : undefined,
    rshim: await observeRshim(context),
  };
}

/**
 * What the BMC says runs on the Arm, once that is the wanted release or the BMC has had time enough to be told. One that
 * restarts meanwhile (the image brought its firmware) is part of the wait.
 */
export async function pollDpuOs(context: ObserveContext, wanted: string): Promise<string | undefined> {
  const startMs = context.clock.nowMs();
  const limitMs = context.clock.deadlineMs(toldLimitMs);
  for (;;) {
    const isLast = context.clock.nowMs() - startMs >= limitMs;
    try {
      const running = await readDpuOs(await bmcReader(context), context.signal);
      if (running === wanted || isLast) return running;
    } catch (error) {
      if (isLast || !(error instanceof OpsError) || error.failure.kind !== 'transient') throw error;
    }
    await context.clock.poll(toldPollMs, context.signal);
  }
}

/**
 * After a reinstall the Arm has another host key: then, too, it is not asked, and enrolling the key sorts it out. What an
 * Arm says whose marker names another card says nothing about this one.
 */
async function askArm(context: ObserveContext, serial: string): Promise<ArmImage | undefined> {
  try {
    const login = await context.arm.login(context.card, { timeoutMs: 30_000, signal: context.signal });
    if (login.state !== 'in') return undefined;
    const image = await readArmImage(login.session, context.signal);
    return image.marker === undefined || image.marker.serial === serial ? image : undefined;
  } catch (error) {
    const unasked = ['ssh-host-key-changed', 'ssh-unreachable', 'ssh-timeout', 'ssh-lost', 'ssh-auth-failed'];
    if (error instanceof OpsError && unasked.includes(error.code)) return undefined;
    throw error;
  }
}
