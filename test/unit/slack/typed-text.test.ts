import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { typedText, withRun } from '../../../src/slack/typed-text.ts';

describe('the text of a message event', () => {
  test.each([
    ['<@UBOT> bench ipsec', 'bench ipsec'],
    ['hey <@UBOT|dpubot> runs', 'hey   runs'],
    ['<@UBOT> provision <http://as7.example|as7.example> --plan', 'provision as7.example --plan'],
    ['<@UBOT> status <https://as7/>', 'status https://as7/'],
    ['<@UBOT> lock as7 --reason "<@U2|ben> in <#C1|lab> &amp; &lt;me&gt;"', 'lock as7 --reason "@ben in #lab & <me>"'],
    ['<@UBOT> ask <mailto:a@b.c|a@b.c>, <!subteam^S1|@ops>, <!here>', 'ask a@b.c, @ops, @here'],
    ['<@UBOT> `provision rack1`', 'provision rack1'],
    ['<@UBOT> ```\nbench ipsec\n```', 'bench ipsec'],
    ['<@UBOT> lock as7 --reason `x`', 'lock as7 --reason `x`'],
    ['<@UBOT>', ''],
  ])('%j was typed as %j', (text, typed) => {
    expect(typedText(text, 'UBOT')).toBe(typed);
  });

  test('without links gives back what was typed, with the three characters that Slack escapes', () => {
    fc.assert(
      fc.property(
        fc.string().map((text) => text.replaceAll('`', "'")),
        (typed) => {
          const sent = typed.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

          expect(typedText(`<@UBOT> ${sent}`, 'UBOT')).toBe(typed.trim());
        },
      ),
    );
  });
});

describe('a line in the thread of run 418', () => {
  test.each([
    ['cancel', 'cancel 418'],
    ['Approve', 'Approve 418'],
    ['reject --reason "wrong rack"', 'reject 418 --reason "wrong rack"'],
    ['resume 7', 'resume 7'],
    ['run #7', 'run #7'],
    ['runs', 'runs'],
    ['bench ipsec', 'bench ipsec'],
    ['', ''],
  ])('%j means %j', (line, meant) => {
    expect(withRun(line, 418)).toBe(meant);
  });
});
