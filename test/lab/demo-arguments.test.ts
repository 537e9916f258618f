import { describe, expect, it } from 'vitest';
import { readDemoArguments, UsageError } from '../../scripts/lib/demo-arguments.mjs';

describe('the command line of the demo', () => {
  it('means embedded mode when it is empty', () => {
    expect(readDemoArguments([])).toEqual({
      actions: [],
      exit: false,
      help: false,
      listFaults: false,
      timeoutMs: 600_000,
    });
  });

  it('keeps lines and faults in the order given', () => {
    const { actions } = readDemoArguments([
      '--fault',
      'redfish-503@as7-dpu0:2',
      '--say',
      '/dpu provision rack1',
      '--clear',
      'redfish-503',
      '--say',
      '/dpu runs',
    ]);

    expect(actions).toEqual([
      { kind: 'fault', name: 'redfish-503', target: 'as7-dpu0', uses: 2 },
      { kind: 'say', line: '/dpu provision rack1', press: undefined },
      { kind: 'clear', name: 'redfish-503' },
      { kind: 'say', line: '/dpu runs', press: undefined },
    ]);
  });

  it.each([
    { argv: ['--say', 'a', '--approve'], presses: ['approve'] },
    { argv: ['--approve', '--say', 'a'], presses: ['approve'] },
    { argv: ['--say', 'a', '--approve', '--say', 'b'], presses: ['approve', 'approve'] },
    { argv: ['--say', 'a', '--approve', '--say', 'b', '--reject'], presses: ['approve', 'reject'] },
    { argv: ['--say', 'a', '--say', 'b', '--reject'], presses: [undefined, 'reject'] },
  ])('lets a decision hold for the line before it and later ones: $argv', ({ argv, presses }) => {
    const says = readDemoArguments(argv).actions.filter((action) => action.kind === 'say');

    expect(says.map((action) => action.press)).toEqual(presses);
  });

  it.each([
    ['90s', 90_000],
    ['10m', 600_000],
    ['1h', 3_600_000],
  ])('reads the time limit %s', (text, ms) => {
    expect(readDemoArguments(['--timeout', text]).timeoutMs).toBe(ms);
  });

  it.each([
    [['--unknown']],
    [['rack1']],
    [['--say']],
    [['--say', '  ']],
    [['--timeout', '10']],
    [['--timeout', '0m']],
    [['--fault', 'a b']],
    [['--fault', 'redfish-503:0']],
  ])('refuses %j as wrong usage', (argv) => {
    expect(() => readDemoArguments(argv)).toThrow(UsageError);
  });
});
