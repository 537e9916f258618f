import { describe, expect, test } from 'vitest';
import { plainText } from '../../../src/report/plain-text.ts';
import { createWorld } from './doubles.ts';

async function answerTo(partNumber: string, person = 'UDAN'): Promise<string> {
  const answer = await createWorld().say(person, `sku ${partNumber}`);
  return answer && 'text' in answer ? plainText(answer) : '';
}

describe('/dpu sku', () => {
  test('tells somebody without any role all that is known of a card, and that it is provisioned', async () => {
    expect(await answerTo('900-9d3b6-00cn-ab0')).toBe(
      [
        '== B3240: 900-9D3B6-00CN-AB0 ==',
        'Class: DPU (ships in DPU mode)',
        'Crypto: enabled',
        'Ports: 2 ports of 400 Gb/s',
        'Arm: 16 cores, 32 GB, P-series',
        'Form: dual-slot FHHL, PCIe 5.0 x16 with an extension for a second x16',
        'PCIe link needed: 32 GT/s x16 or faster (504 Gb/s raw: enough for one port, not for all ports at once)',
        'PSID: `MT_0000000883`',
        'Provisioned by dpubot: yes',
      ].join('\n'),
    );
  });

  test('understands the form that rshim shows', async () => {
    expect(await answerTo('9009D3B600CNAB')).toContain('B3240: 900-9D3B6-00CN-AB0');
  });

  test('warns of a card without crypto that there is no IPsec offload', async () => {
    const text = await answerTo('900-9D3B6-00SV-AA0');

    expect(text).toContain('Crypto: disabled');
    expect(text).toContain('no IPsec offload');
    expect(text).toContain('Provisioned by dpubot: yes');
  });

  test('says of a self-hosted controller that it is not provisioned, and why', async () => {
    const text = await answerTo('900-9D3C6-00CV-DA0');

    expect(text).toContain('Class: self-hosted storage controller');
    expect(text).toContain('Provisioned by dpubot: no: such a card is a PCIe root of its own');
  });

  test('says of a SuperNIC in which mode it comes and what is needed', async () => {
    const text = await answerTo('900-9D3B4-00EN-EA0');

    expect(text).toContain('ships in NIC mode');
    expect(text).toContain('--set-mode');
  });

  test('marks what no source states as a guess', async () => {
    const text = await answerTo('900-9D3L6-00CN-AA0');

    expect(text).toContain('Crypto: enabled (a guess, by the letters of the part number)');
    expect(text).toContain('number not published, 400 Gb/s each (a guess');
  });

  test('names of a server vendor part what is published, and that dpubot leaves it out', async () => {
    const text = await answerTo('0HFWRM');

    expect(text).toContain('Part number of Dell: 0HFWRM');
    expect(text).toContain('Arm: 16 cores, 32 GB');
    expect(text).toContain('sku-unknown');
  });

  test('answers for an unknown part with the most like it and a guess that is called one', async () => {
    const text = await answerTo('900-9D3B6-00SN-ZZ9');

    expect(text).toContain('Not a part number that dpubot knows');
    expect(text).toContain('Most like it: `900-9D3B6-00SN-AB0`');
    expect(text).toContain('A guess, by its letters alone: DPU (ships in DPU mode); crypto disabled; 400 Gb/s a port');
  });

  test('refuses words that are no part number, with what to do', async () => {
    expect(await answerTo('potato-salad')).toContain('is like no part number');
    expect(await answerTo('x')).toContain('is a part number as on the label');
  });
});
