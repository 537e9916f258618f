import { z } from 'zod';
import { meaningOf } from '../src/domain/part-numbers.ts';
import { errors } from '../src/errors.ts';
import { skuAnswer } from '../src/report/sku-answer.ts';
import { defineCommand } from './define.ts';

const PartNumber = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._ -]{3,39}$/, 'is a part number as on the label, as in 900-9D3B6-00CN-AB0');

/** Says what a part number means, before somebody buys the card or wonders why it was left out. */
export const sku = defineCommand({
  name: 'sku',
  summary: 'say what a part number of a card means, and whether dpubot provisions it',
  positionals: [{ name: 'part-number', about: 'as on the label, in any case, with or without dashes' }],
  flags: [],
  examples: ['/dpu sku 900-9D3B6-00CN-AB0', '/dpu sku 9009D3B600CNAB'],
  arguments: z.object({ 'part-number': PartNumber }),
  who: 'anyone',
  changes: false,
  async run(_request, args) {
    const partNumber = args['part-number'];
    const meaning = meaningOf(partNumber);
    if (meaning.kind === 'unknown' && meaning.guess === undefined && meaning.nearest === undefined)
      throw errors.commandInvalid({
        what: `"${partNumber}" is like no part number of a BlueField-3 card.`,
        why: 'NVIDIA writes them as in 900-9D3B6-00CN-AB0; those of server vendors are known only in part.',
        next: 'Read it off the label or with `sudo lspci -vvv` (the line [PN]) and ask again.',
      });
    return skuAnswer(partNumber, meaning);
  },
});
