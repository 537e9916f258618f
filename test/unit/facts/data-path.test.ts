import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostReader } from '../../../src/domain/device-ports.ts';
import { readHugepages, readNumaNode } from '../../../src/facts/hugepages.ts';
import { parseOvsBridges } from '../../../src/facts/ovs-bridges.ts';

/** A host on which every `cat` prints the same. */
function printing(stdout: string): HostReader {
  const result = { stdout, stderr: '', exitCode: 0, truncated: false, durationMs: 1 };
  return { name: 'as7', read: async () => Promise.resolve(result) };
}

const { signal } = new AbortController();

describe('bridges of Open vSwitch', () => {
  it('are read with their ports, those without ports too', () => {
    expect(parseOvsBridges('as7-dpu0', '=== ovsbr1\np0\npf0hpf\n=== ovsbr2\n')).toEqual({
      ovsbr1: ['p0', 'pf0hpf'],
      ovsbr2: [],
    });
    expect(parseOvsBridges('as7-dpu0', '')).toEqual({});
  });

  it('after other text are an error', () => {
    const text = 'ovs-vsctl: unix:/var/run/openvswitch/db.sock: database connection failed\n';

    expect(() => parseOvsBridges('as7-dpu0', text)).toThrow(expect.objectContaining({ code: 'output-unreadable' }));
  });

  it('come out as they went in', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
    const bridges = fc.dictionary(name, fc.array(name, { maxLength: 4 }), { maxKeys: 5 });
    fc.assert(
      fc.property(bridges, (wanted) => {
        const text = Object.entries(wanted).map(
          ([bridge, ports]) => `=== ${bridge}\n${ports.map((p) => `${p}\n`).join('')}`,
        );
        expect(parseOvsBridges('x', text.join(''))).toEqual({ ...wanted });
      }),
    );
  });
});

describe('hugepages', () => {
  it('are those of the node of the card; a machine without nodes has node 0', async () => {
    await expect(readNumaNode(printing('1\n'), '0000:e1:00.0', signal)).resolves.toBe(1);
    await expect(readNumaNode(printing('-1\n'), '0000:e1:00.0', signal)).resolves.toBe(0);
    await expect(readHugepages(printing('2048\n'), { node: 1, sizeMiB: 2 }, signal)).resolves.toBe(2048);
  });

  it('that are no number are an error and never none', async () => {
    for (const text of ['', '2048 pages\n', '1\n2\n'])
      await expect(readHugepages(printing(text), { node: 0, sizeMiB: 1024 }, signal)).rejects.toMatchObject({
        code: 'output-unreadable',
      });
  });
});
