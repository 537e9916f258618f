import type { AnyBlock } from '@slack/types';
import { asText, isObject, type Json } from './blocks/report.ts';

export interface FoundElement {
  blockId: string;
  element: Json;
  /** The input block around it, when it is one. */
  input: Json | undefined;
}

/** All interactive elements of a message or view, with the block they are in. */
export function elementsOf(blocks: readonly AnyBlock[]): FoundElement[] {
  return blocks.flatMap((block) => elementsOfBlock(block as unknown as Json));
}

export interface ElementKey {
  actionId?: string | undefined;
  blockId?: string | undefined;
  /** The text on a button. */
  label?: string | undefined;
}

/** The first element that fits all that is asked for. */
export function findElement(blocks: readonly AnyBlock[], key: ElementKey): FoundElement | undefined {
  return elementsOf(blocks).find(
    ({ blockId, element }) =>
      (key.actionId !== undefined || key.label !== undefined) &&
      (key.actionId === undefined || element.action_id === key.actionId) &&
      (key.blockId === undefined || blockId === key.blockId) &&
      (key.label === undefined || (isObject(element.text) && element.text.text === key.label)),
  );
}

function elementsOfBlock(block: Json): FoundElement[] {
  const blockId = asText(block.block_id);
  const of = (value: unknown, input?: Json): FoundElement[] =>
    isObject(value) && value.action_id !== undefined ? [{ blockId, element: value, input }] : [];
  const listed = (value: unknown): FoundElement[] =>
    Array.isArray(value) ? value.flatMap((one: unknown) => of(one)) : [];
  switch (block.type) {
    case 'actions':
    case 'context_actions':
      return listed(block.elements);
    case 'section':
      return of(block.accessory);
    case 'input':
      return of(block.element, block);
    case 'card':
      return listed(block.actions);
    case 'container':
    case 'carousel': {
      const children = block.type === 'container' ? block.child_blocks : block.elements;
      return Array.isArray(children)
        ? children.flatMap((child: unknown) => (isObject(child) ? elementsOfBlock(child) : []))
        : [];
    }
    default:
      return [];
  }
}
