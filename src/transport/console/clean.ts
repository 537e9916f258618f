import { StringDecoder } from 'node:string_decoder';

/** Where in a control sequence the text stands (ECMA-48, section 5). */
type Place = 'text' | 'escape' | 'intermediate' | 'csi' | 'string' | 'string-escape';

/** Takes terminal control out of a stream of bytes, however it is cut into pieces. */
export interface TextCleaner {
  push(bytes: Uint8Array): string;
}

/**
 * What stays: printable characters, line feeds and tabs. Carriage returns, control characters and ANSI sequences (CSI, OSC
 * and other strings, character sets) go. Nothing is moved or erased as a terminal would do: order of arrival counts.
 */
export function createTextCleaner(): TextCleaner {
  const decoder = new StringDecoder('utf8');
  let place: Place = 'text';
  return {
    push(bytes) {
      let text = '';
      for (const character of decoder.write(Buffer.from(bytes))) {
        if (place === 'text' && isText(character)) text += character;
        else place = after(place, character);
      }
      return text;
    },
  };
}

function isText(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return character === '\n' || character === '\t' || (code >= 0x20 && !(code >= 0x7f && code < 0xa0));
}

/** The place after a character that is no text. Cancel and substitute end every sequence; an escape begins a new one. */
function after(place: Place, character: string): Place {
  const code = character.codePointAt(0) ?? 0;
  if (code === 0x18 || code === 0x1a) return 'text';
  if (code === 0x1b) return place === 'string' || place === 'string-escape' ? 'string-escape' : 'escape';
  switch (place) {
    case 'text':
      return 'text';
    case 'escape':
      if (character === '[') return 'csi';
      if (']PX^_'.includes(character)) return 'string';
      return code >= 0x20 && code <= 0x2f ? 'intermediate' : 'text';
    case 'intermediate':
      return code >= 0x30 && code <= 0x7e ? 'text' : 'intermediate';
    case 'csi':
      return code >= 0x40 && code <= 0x7e ? 'text' : 'csi';
    case 'string':
      // A line feed is in no such string; without this a lost end would swallow everything.
      return code === 0x07 || character === '\n' ? 'text' : 'string';
    case 'string-escape':
      return character === '\\' ? 'text' : after('escape', character);
  }
}
