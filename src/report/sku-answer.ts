import { defaultMinPcieLink, pcieGbps, pcieText } from '../domain/part-numbers.ts';
import type { OemCard, PartNumberMeaning, Sku, SkuGuess } from '../domain/part-numbers.ts';
import { header, sections } from './blocks.ts';
import { fitMessage } from './limits.ts';
import type { ChatMessage } from './message.ts';
import { count, escapeMrkdwn, inlineCode } from './text.ts';

const CLASS: Readonly<Record<Sku['class'], string>> = {
  dpu: 'DPU (ships in DPU mode)',
  supernic: 'SuperNIC (ships in NIC mode)',
  controller: 'self-hosted storage controller',
};

const PROVISIONED: Readonly<Record<Sku['class'], string>> = {
  dpu: 'yes',
  supernic: 'yes, with `--set-mode` while it is in NIC mode (its host is power-cycled)',
  controller:
    'no: such a card is a PCIe root of its own, its PCIe to the host is off by default, and it carries about 100 Gb/s at most',
};

const NO_CRYPTO = '*Warning:* its crypto is disabled, so there is no IPsec offload; the rest is provisioned.';

/** What is known of a part number, with guesses marked as such. */
export function skuAnswer(asked: string, meaning: PartNumberMeaning): ChatMessage {
  switch (meaning.kind) {
    case 'sku':
      return skuMessage(meaning.sku);
    case 'oem':
      return oemMessage(meaning.card);
    case 'unknown':
      return unknownMessage(asked, meaning.guess, meaning.nearest);
  }
}

function skuMessage(sku: Sku): ChatMessage {
  const guessed = (field: 'crypto' | 'portGbps'): string =>
    sku.inferred?.includes(field) === true ? ' (a guess, by the letters of the part number)' : '';
  const lines = [
    `*Class:* ${CLASS[sku.class]}`,
    `*Crypto:* ${cryptoWord(sku.crypto)}${guessed('crypto')}`,
    `*Ports:* ${portsText(sku)}${guessed('portGbps')}`,
    `*Arm:* ${sku.armCores} cores, ${sku.memoryGb} GB${sku.series === 'unknown' ? '' : `, ${sku.series}-series`}`,
    ...(sku.form === undefined ? [] : [`*Form:* ${sku.form}`]),
    `*PCIe link needed:* ${linkText(sku)}`,
    `*PSID:* ${sku.psid === undefined ? 'not published' : inlineCode(sku.psid)}`,
    `*Provisioned by dpubot:* ${PROVISIONED[sku.class]}`,
    ...(sku.crypto === false && sku.class !== 'controller' ? [NO_CRYPTO] : []),
  ];
  const title = `${sku.model === 'unnamed' ? 'A model without a published name' : sku.model}: ${sku.partNumber}`;
  return fitMessage({ text: `${title}, ${CLASS[sku.class]}`, blocks: [header(title), ...sections(lines)] });
}

function cryptoWord(crypto: Sku['crypto']): string {
  if (crypto === 'unknown') return 'not published';
  return crypto ? 'enabled' : 'disabled';
}

function portsText(sku: Sku): string {
  return sku.ports === 'unknown'
    ? `number not published, ${sku.portGbps} Gb/s each`
    : `${count(sku.ports, 'port')} of ${sku.portGbps} Gb/s`;
}

/** What one port needs; whether the link carries both at once is said, because many expect it. */
function linkText(sku: Sku): string {
  const link = defaultMinPcieLink(sku);
  const carries = Math.floor(pcieGbps(link));
  const both = typeof sku.ports === 'number' && sku.ports * sku.portGbps > carries ? ', not for all ports at once' : '';
  return `${pcieText(link)} or faster (${carries} Gb/s raw: enough for one port${both})`;
}

function oemMessage(card: OemCard): ChatMessage {
  const vendor = card.vendor === undefined ? 'a server vendor' : card.vendor;
  const title = `Part number of ${vendor}: ${card.partNumber}`;
  const lines = [
    `*Arm:* ${card.armCores} cores, ${card.memoryGb} GB`,
    `*Class:* ${card.class === undefined ? 'not published' : CLASS[card.class]}`,
    'Model, crypto, ports and PSID are not published for this number.',
    '*Provisioned by dpubot:* no: it leaves out cards of which it does not know what they need (`sku-unknown`)',
  ];
  return fitMessage({ text: title, blocks: [header(title), ...sections(lines)] });
}

function unknownMessage(asked: string, guess: SkuGuess | undefined, nearest: string | undefined): ChatMessage {
  const title = `Not a part number that dpubot knows: ${asked}`;
  const guesses = guess === undefined ? [] : guessLines(guess);
  const lines = [
    ...(nearest === undefined ? [] : [`*Most like it:* ${inlineCode(nearest)}`]),
    ...(guesses.length === 0 ? [] : [`*A guess, by its letters alone:* ${guesses.join('; ')}`]),
    '*Provisioned by dpubot:* no: it leaves out cards of which it does not know what they need (`sku-unknown`)',
  ];
  return fitMessage({ text: escapeMrkdwn(title), blocks: [header(title), ...sections(lines)] });
}

function guessLines(guess: SkuGuess): string[] {
  return [
    ...(guess.class === undefined ? [] : [CLASS[guess.class]]),
    ...(guess.crypto === undefined ? [] : [`crypto ${cryptoWord(guess.crypto)}`]),
    ...(guess.portGbps === undefined ? [] : [`${guess.portGbps} Gb/s a port`]),
  ];
}
