import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunState } from '../../../src/domain/run.ts';
import type { PersonName } from '../../support/lab/people.ts';
import { eventually } from '../../support/lab/eventually.ts';
import { runByHand } from '../../support/lab/by-hand.ts';
import { Stack } from '../../support/lab/stack.ts';
import { order, pushing } from '../../support/lab/troubled-provision.ts';

const host = 'as7';
const card = 'as7-dpu0';
const image = 'bf-bundle-2.9.2-32_25.02_ubuntu-22.04_patched';
const lookLimitMs = 20_000;

let stack: Stack;
/** What a look at the console said while the image was on its way. */
let toldDuringFlash: string;

/** One whole provision for all tests, with a first look in the middle of its flash. */
beforeAll(async () => {
  stack = await Stack.start({ hosts: 1, whole: true });
  const scene = await order(stack, host);
  await stack.approve(scene.id);
  await pushing(scene);
  toldDuringFlash = await lookAt(`/dpu console ${card}`);
  await stack.records.waitForRun(scene.id, ['done'], 90_000);
}, 120_000);
afterAll(async () => stack.stop());

/**
 * All that the thread of a run says, as a person reads it. The outbox posts it within the rate limits of Slack, for which
 * only the test of the thread itself waits.
 */
async function told(id: number): Promise<string> {
  const posts = await stack.records.wantedPosts(id);
  return posts.map((post) => stack.people.textOf(post.message)).join('\n');
}

/** Types a line, waits for its end and returns what it told. */
async function lookAt(line: string, end: RunState = 'done', user: PersonName = 'ana'): Promise<string> {
  const id = await stack.order(user, line);
  await stack.records.waitForRun(id, [end], lookLimitMs);
  return told(id);
}

/** Has the thread of a run a block of code with that text? */
async function hasCode(id: number, text: string): Promise<boolean> {
  const posts = await stack.records.wantedPosts(id);
  const codes = posts.flatMap(({ message }) =>
    (message.blocks ?? []).flatMap((block) =>
      block.type === 'rich_text' ? block.elements.filter((part) => part.type === 'rich_text_preformatted') : [],
    ),
  );
  return codes.some((code) => JSON.stringify(code).includes(text));
}

/** What must be the same before and after whatever only looks: the rack, and who holds or works on a host. */
async function untouched(): Promise<unknown> {
  const { holds, leases } = stack.records.stores;
  return { rack: await stack.rack.comparable(), holds: await holds.all(), worker: await leases.holder(host) };
}

describe('looks, end to end', () => {
  it('show the log of the flash instead of the console while an image is written', () => {
    expect(toldDuringFlash).toMatch(/Flash of as7-dpu0, instead of its console/);
    expect(toldDuringFlash).toMatch(/Pushing bfb \+ cfg/);
    expect(toldDuringFlash).not.toContain('login:');
  });

  it('show with a refresh what the rack really has, in the thread, and later from memory to the asker alone', async () => {
    const before = await untouched();

    const id = await stack.order('ana', `/dpu status ${card} --refresh`);
    await stack.records.waitForRun(id, ['done'], lookLimitMs);
    const thread = (await stack.finishedThread(id)).join('\n');
    const answer = await stack.people.ask('ana', `/dpu status ${card}`);

    const { armOs, nicFirmware, rshim, secureBoot } = await stack.rack.card(card);
    expect({ image: armOs.image, owner: rshim.owner, secureBoot: secureBoot.currentBoot }).toEqual({
      image,
      owner: 'host',
      secureBoot: false,
    });
    for (const text of [thread, answer.text]) {
      for (const value of [
        stack.dpu(card).serial,
        image,
        nicFirmware.running,
        'DPU mode',
        'off (running boot: Disabled)',
      ])
        expect(text).toContain(value);
      expect(text).toMatch(/rshim owner +host/);
      expect(text).not.toContain('not read');
    }
    expect(await untouched()).toEqual(before);
  });

  it('follow the console as its only reader until cancelled, show its prompt as code, and give it back', async () => {
    const before = await untouched();
    const prompt = `${stack.dpu(card).serial} login:`;
    const id = await stack.order('ana', `/dpu console ${card} --follow 10m`);
    await eventually(
      'socat on the console',
      async () => ((await stack.rack.lines()).slice(-3).some((line) => line.includes('socat')) ? true : undefined),
      lookLimitMs,
    );

    const second = await stack.order('ben', `/dpu console ${card}`);
    const refused = await stack.records.waitForRun(second, [], lookLimitMs);
    await stack.people.press('ana', id, 'Cancel');
    await stack.records.waitForRun(id, ['cancelled'], lookLimitMs);
    const third = await stack.order('ana', `/dpu console ${card}`);
    await stack.records.waitForRun(third, ['done'], lookLimitMs);

    expect(refused.units[host]?.failure?.code).toBe('reader-busy');
    // The follower saw what the card had said since its boot; after that it is silent until somebody presses Enter.
    expect(await hasCode(id, prompt)).toBe(true);
    expect(await told(third)).toMatch(/It waits for a login\.[^]*Typed +one Enter/);
    expect(await hasCode(third, prompt)).toBe(true);
    expect(await untouched()).toEqual(before);
  });

  it('answer a probe with what it means and a warning where it looks wrong', async () => {
    const before = await untouched();

    const links = await lookAt(`/dpu diag ${card} links`);
    const flows = await lookAt(`/dpu diag ${card} offload-flows`);

    expect(links).toMatch(/1 of 2 ports has a link; p1 is unplugged\./);
    expect(links).toMatch(/p0 +link, up, 400 Gb\/s, MTU 9216/);
    expect(links).toMatch(/p1 +unplugged: no cable, so no carrier/);
    expect(flows).toMatch(/Switch of the card +switchdev/);
    expect(await untouched()).toEqual(before);
  });

  it('suggest the probe that was meant', async () => {
    const answer = await stack.people.ask('ana', `/dpu diag ${card} linkz`);

    expect(answer.text).toContain('links');
    expect(answer.text).toMatch(/linkz/);
  });

  it('name the drift after somebody changed the card by hand, and change nothing', async () => {
    await runByHand(stack.dpu(card).arm, stack.secrets.privateKey, 'sudo hostnamectl set-hostname drifted');
    const before = await untouched();

    const drift = await lookAt(`/dpu inspect ${card}`, 'planned');

    expect(drift).toMatch(/Differs: Set the hostname: .*drifted/);
    expect(drift).toMatch(/As wanted: Switch Secure Boot off/);
    expect(await untouched()).toEqual(before);
  });
});
