import { z } from 'zod';
import type { ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readDpubotFile } from '../facts/arm-files.ts';
import { hugepagesPath, readHugepages, readNumaNode } from '../facts/hugepages.ts';
import { readPciCards } from '../facts/pci-cards.ts';
import { runOk, writeRootFile } from './remote.ts';

const Params = z.strictObject({ sizeMiB: z.union([z.literal(2), z.literal(1024)]), count: z.int().min(1) });
type Params = z.infer<typeof Params>;

interface Observed {
  readonly node: number;
  readonly count: number;
  /** dpubot's own file for later boots. */
  readonly kept: string | undefined;
}

/**
 * Give the NUMA node of the card the hugepages that DPDK takes, now and at every later boot.
 *
 * Why      testpmd does not start without them, and with those of another node each packet crosses the machine.
 * Units    sizeMiB: 2 or 1024; count: pages on that node.
 * Reads    lspci, numa_node of the card, nr_hugepages of its node, dpubot's tmpfiles.d file (host).
 * Changes  /etc/tmpfiles.d/dpubot-hugepages-<card>.conf, carried out at once by systemd-tmpfiles (host). More pages than
 *          wanted stay.
 * Errors   card-not-found, command-failed; fewer pages than asked for (memory in pieces) need a person: reboot the host.
 * Source   kernel docs, admin-guide/mm/hugetlbpage; tmpfiles.d(5), type w; DPDK Linux guide, "Use of Hugepages".
 */
export const setHugepages = defineStep<Params, Observed>({
  name: 'set-hugepages',
  title: 'Set the hugepages',
  scope: 'dpu',
  risk: 'change',
  params: Params,
  timeoutMs: 120_000,
  needs: ['host-ssh'],
  provides: [],
  aim: (params) => `${pagesText(params)} on the NUMA node of the card`,
  wanted: (params) => params,
  observe,
  diff: ({ node, count, kept }, params, { name: target }) => {
    const isKept = kept === contentOf(node, params);
    const now = `${count} hugepages of ${sizeText(params)} on node ${node}`;
    if (count >= params.count && isKept) return { kind: 'satisfied', reason: `${now}, also after a boot` };
    const text = `host of ${target}: ${now}${isKept ? '' : ', not kept over a boot'} -> ${params.count}, kept`;
    return { kind: 'change', changes: [{ target, from: String(count), to: String(params.count), text }] };
  },
  apply: async (context, _changes, params, { node, count }) => {
    const path = pathOf(context);
    const text = `write ${path} and carry it out`;
    await context.act({ name: 'set-hugepages', text, before: count }, async () => {
      const { host, signal } = context;
      await writeRootFile(host, { path, mode: '644', content: contentOf(node, params) }, { signal });
      await runOk(host, ['sudo', '-n', 'systemd-tmpfiles', '--create', path], { timeoutMs: 60_000, signal });
      return { evidence: `${hugepagesPath(node, params.sizeMiB)} = ${params.count}`, value: undefined };
    });
    return { kind: 'done' };
  },
  verify: async (context, params) => {
    const { count } = await observe(context, params);
    const pass = count >= params.count;
    return [{ check: 'hugepages', pass, expected: `at least ${params.count}`, actual: String(count) }];
  },
});

async function observe(context: ObserveContext, { sizeMiB }: Params): Promise<Observed> {
  const { host, signal, card, dpu } = context;
  const cards = await readPciCards(host, signal);
  const found = cards.find((each) => each.serial === card.serial);
  if (found === undefined) {
    const seen = cards.map((each) => `${each.serial} at ${each.pciAddress}`);
    throw errors.cardNotFound({ target: dpu.name, host: host.name, found: seen });
  }
  const node = await readNumaNode(host, found.pciAddress, signal);
  const count = await readHugepages(host, { node, sizeMiB }, signal);
  return { node, count, kept: await readDpubotFile(host, pathOf(context), signal) };
}

function pathOf({ dpu }: Pick<ObserveContext, 'dpu'>): string {
  return `/etc/tmpfiles.d/dpubot-hugepages-${dpu.name}.conf`;
}

function contentOf(node: number, { sizeMiB, count }: Params): string {
  return `# Written by dpubot.\nw ${hugepagesPath(node, sizeMiB)} - - - - ${count}\n`;
}

function sizeText({ sizeMiB }: Pick<Params, 'sizeMiB'>): string {
  return sizeMiB === 1024 ? '1 GiB' : '2 MiB';
}

function pagesText(params: Params): string {
  return `${params.count} hugepages of ${sizeText(params)}`;
}
