import { readFile, stat } from 'node:fs/promises';
import type { FSWatcher } from 'node:fs';
import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import type { Document, Node } from 'yaml';
import { LineCounter, isMap, isPair, isScalar, isSeq, parseDocument } from 'yaml';
import { canonicalHash } from './domain/canonical.ts';
import { Inventory } from './domain/inventory.ts';
import { formProblems } from './inventory-checks/form.ts';
import type { Problem } from './inventory-checks.ts';
import { crossChecks } from './inventory-checks.ts';
import type { OpsError } from './errors.ts';
import { errors } from './errors.ts';

/** Larger than any fleet this tool is for; a file beyond it is a mistake (a log, an image). */
const MAX_BYTES = 4 * 1024 * 1024;

export type InventoryText =
  | { readonly ok: true; readonly inventory: Inventory }
  /** Each problem begins with `line:column`. */
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads and checks an inventory file. Errors: inventory-invalid with all problems at once, each with line and column. */
export async function loadInventory(path: string): Promise<Inventory> {
  const result = checkInventoryText(await readText(path));
  if (result.ok) return result.inventory;
  throw errors.inventoryInvalid({ file: path, problems: result.problems });
}

/** Checks the text of an inventory: YAML, then form, then what its parts say about each other. Never throws. */
export function checkInventoryText(text: string): InventoryText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  if (document.errors.length > 0)
    return { ok: false, problems: document.errors.map((error) => `${at(lines, error.pos[0])} ${error.message}`) };
  const raw = plainValue(document);
  if (!raw.ok) return { ok: false, problems: [`1:1 ${raw.problem}`] };
  const parsed = Inventory.safeParse(raw.value);
  const form = parsed.success ? [] : parsed.error.issues.flatMap((issue) => formProblems(issue));
  const cross = crossChecks(raw.value);
  // Where both have something to say of one value, the check that knows more is heard.
  const isTold = (problem: Problem): boolean => cross.some((other) => other.path.join('/') === problem.path.join('/'));
  const problems = [...form.filter((problem) => !isTold(problem)), ...cross];
  if (parsed.success && problems.length === 0) return { ok: true, inventory: parsed.data };
  const placed = problems.map((problem) => ({ offset: offsetOf(document, problem), problem }));
  placed.sort((a, b) => a.offset - b.offset);
  return { ok: false, problems: placed.map(({ offset, problem }) => `${at(lines, offset)} ${shown(problem)}`) };
}

/** JSON Schema of the file for editors, as the file is written (defaults may be left out). */
export function inventoryJsonSchema(): unknown {
  return z.toJSONSchema(Inventory, { io: 'input' });
}

export interface InventoryWatch {
  stop(): void;
}

/**
 * Calls `onChange` with each new good state of the file and `onBad` (inventory-invalid) with each broken one; the caller
 * keeps the last good one. The directory is watched, so that replacing the file by rename is seen, and the file is polled
 * as well, because network mounts and symlinked ConfigMaps send no events. `known` = what the caller has loaded already;
 * without it the first state counts as a change.
 */
export function watchInventory(
  path: string,
  onChange: (inventory: Inventory) => void,
  onBad: (error: OpsError) => void,
  options: { readonly known?: Inventory; readonly pollMs?: number; readonly debounceMs?: number } = {},
): InventoryWatch {
  const { known, pollMs = 2000, debounceMs = 100 } = options;
  let stopped = false;
  let lastHash = known === undefined ? '' : canonicalHash(known);
  let lastText: string | undefined;
  let lastStamp = '';
  let timer: NodeJS.Timeout | undefined;
  let work: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    const text = await readText(path).catch(() => '');
    if (stopped || text === lastText) return;
    lastText = text;
    const result = checkInventoryText(text);
    if (!result.ok) {
      lastHash = '';
      onBad(errors.inventoryInvalid({ file: path, problems: result.problems }));
      return;
    }
    const hash = canonicalHash(result.inventory);
    if (hash === lastHash) return;
    lastHash = hash;
    onChange(result.inventory);
  }
  function lookSoon(): void {
    if (stopped) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      work = work.then(look);
    }, debounceMs).unref();
  }
  async function poll(): Promise<void> {
    const stamp = await stampOf(path);
    if (stamp === lastStamp) return;
    lastStamp = stamp;
    lookSoon();
  }

  const watcher = watchDirectory(path, lookSoon);
  const interval = setInterval(() => void poll(), pollMs).unref();
  void poll();
  return {
    stop() {
      stopped = true;
      watcher?.close();
      clearInterval(interval);
      clearTimeout(timer);
    },
  };
}

/** No watcher where the platform has none left (inotify limits): polling goes on alone. */
function watchDirectory(path: string, onEvent: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(dirname(path), { persistent: false }, (_event, name) => {
      // A symlinked directory switches under another name, so only clearly foreign files are left out.
      if (name === null || name === basename(path) || name.startsWith('..')) onEvent();
    });
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

async function stampOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return 'missing';
  }
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size <= MAX_BYTES) return await readFile(path, 'utf8');
  } catch {
    throw errors.inventoryInvalid({ file: path, problems: ['the file cannot be read'] });
  }
  throw errors.inventoryInvalid({ file: path, problems: [`the file is larger than ${MAX_BYTES} bytes`] });
}

function plainValue(
  document: Document,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string } {
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: 100 }) };
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
}

function shown(problem: Problem): string {
  return problem.path.length === 0 ? problem.text : `${problem.path.join('.')}: ${problem.text}`;
}

function at(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${Math.max(line, 1)}:${Math.max(col, 1)}`;
}

/** Offset of the node a path leads to; of its deepest existing parent when something is missing. */
function offsetOf(document: Document, problem: Problem): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const part of problem.path) {
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(part),
      );
      if (!pair) return offset;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = startOf(node) ?? offset;
    } else return offset;
  }
  return isScalar(node) && problem.atKey !== true ? (startOf(node) ?? offset) : offset;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
