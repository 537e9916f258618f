import { describe, expect, test } from 'vitest';
import { checkInventoryText, inventoryJsonSchema } from '../../src/inventory-file.ts';
import { sampleText } from './commands/sample-inventory.ts';

/** The sample with these lines for its racks, and this window for its site. */
function checked(window: string, racks = ''): ReturnType<typeof checkInventoryText> {
  const site = '  lab:\n    recipient: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';
  const text = sampleText.replace(/ {2}lab: \{.*\}/, () => `${site}\n    windows:\n      - ${window}`);
  return checkInventoryText(`${text}${racks}`);
}

function problems(window: string, racks?: string): string {
  const result = checked(window, racks);
  return result.ok ? '' : result.problems.join('\n');
}

const good = "{ days: [mon-fri, sun], from: '22:00', to: '05:00', timeZone: Europe/Berlin }";

describe('maintenance windows in an inventory', () => {
  test('of a site and of a rack are read as written', () => {
    const rack = "{ days: [sat], from: '00:00', to: '24:00', timeZone: UTC }";

    const result = checked(good, `racks:\n  rack2: { windows: [${rack}] }\n`);

    expect(result).toMatchObject({
      ok: true,
      inventory: {
        sites: { lab: { windows: [{ days: ['mon-fri', 'sun'], from: '22:00', to: '05:00' }] } },
        racks: { rack2: { windows: [{ to: '24:00' }] } },
      },
    });
  });

  test('are left out where there are none', () => {
    expect(checkInventoryText(sampleText)).toMatchObject({
      ok: true,
      inventory: { racks: {}, sites: { lab: { windows: [] } } },
    });
  });

  test.each([
    [
      'a zone that nobody has',
      good.replace('Berlin', 'Berln'),
      'sites.lab.windows.0.timeZone: there is no time zone "Europe/Berln"',
    ],
    ['an end that is the beginning', good.replace('05:00', '22:00'), 'sites.lab.windows.0.to: is the same as from'],
    ['a day that is none', good.replace('sun', 'sunday'), 'sites.lab.windows.0.days.1: must be a day (mon, tue'],
    ['no day', good.replace('mon-fri, sun', ''), 'sites.lab.windows.0.days: must have at least 1 entry'],
    ['a time that is none', good.replace('22:00', '25:00'), "sites.lab.windows.0.from: must be a time as in '22:00'"],
    ['24:00 as a beginning', good.replace('22:00', '24:00'), "sites.lab.windows.0.from: must be a time as in '22:00'"],
    ['no zone', good.replace(', timeZone: Europe/Berlin', ''), 'sites.lab.windows.0.timeZone: is missing'],
    ['a setting nobody knows', good.replace('to:', 'till: x, to:'), 'sites.lab.windows.0.till: is not a known setting'],
  ])('with %s are refused at their line', (_what, window, expected) => {
    expect(problems(window)).toMatch(/^7:\d+ /);
    expect(problems(window)).toContain(expected);
  });

  test('of a rack in which there is no host are refused, with the one that was probably meant', () => {
    expect(problems(good, 'racks:\n  rack22: { windows: [] }\n')).toContain(
      'racks.rack22: there is no host in rack "rack22"; did you mean rack2?',
    );
  });

  test('stand in the JSON Schema for editors', () => {
    expect(JSON.stringify(inventoryJsonSchema())).toContain('"timeZone"');
  });
});
