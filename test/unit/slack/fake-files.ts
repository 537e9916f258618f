import type { Clock } from '../../../src/domain/device-ports.ts';
import type { ChatResult } from '../../../src/slack/chat-client.ts';
import type { FilePort, StoredFile } from '../../../src/slack/file-client.ts';
import type { Mishap } from './fake-chat.ts';

type Call = keyof FilePort;

/** The files of a chat for tests; goes wrong as told. A file is ready a moment after it was completed. */
export class FakeFiles implements FilePort {
  readonly calls: { readonly call: Call; readonly atMs: number }[] = [];
  readonly mishaps: Record<Call, Mishap[]> = { reserve: [], upload: [], complete: [], info: [] };
  /** What always goes wrong, until changed. */
  broken: (call: Call) => Mishap | undefined = () => undefined;
  readyAfterMs = 500;
  readonly #clock: Clock;
  readonly #names: string[] = [];
  readonly #contents = new Map<string, Uint8Array>();
  readonly #completedAtMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ids of the files that were uploaded to the end. */
  get completed(): string[] {
    return [...this.#completedAtMs.keys()];
  }

  contentOf(fileId: string): string {
    return new TextDecoder().decode(this.#contents.get(fileId));
  }

  async reserve({ name }: { readonly name: string }): ReturnType<FilePort['reserve']> {
    return this.#answer('reserve', () => {
      const fileId = `F${this.#names.push(name)}`;
      return { ok: true, value: { fileId, uploadUrl: `https://files.invalid/${fileId}` } };
    });
  }

  async upload({ uploadUrl, content }: Parameters<FilePort['upload']>[0]): Promise<ChatResult<undefined>> {
    return this.#answer('upload', () => {
      this.#contents.set(uploadUrl.split('/').at(-1) ?? '', content);
      return { ok: true, value: undefined };
    });
  }

  async complete({ fileId }: { readonly fileId: string }): Promise<ChatResult<undefined>> {
    return this.#answer('complete', () => {
      if (!this.#contents.has(fileId)) return { ok: false, fault: { kind: 'refused', error: 'file_not_found' } };
      this.#completedAtMs.set(fileId, this.#clock.nowMs());
      return { ok: true, value: undefined };
    });
  }

  async info(fileId: string): Promise<ChatResult<StoredFile | undefined>> {
    return this.#answer('info', () => {
      const atMs = this.#completedAtMs.get(fileId);
      if (atMs === undefined) return { ok: true, value: undefined };
      const ready = this.#clock.nowMs() - atMs >= this.readyAfterMs;
      return { ok: true, value: { fileId, permalink: `https://team.invalid/files/${fileId}`, ready } };
    });
  }

  #answer<T>(call: Call, act: () => ChatResult<T>): ChatResult<T> {
    this.calls.push({ call, atMs: this.#clock.nowMs() });
    const mishap = this.broken(call) ?? this.mishaps[call].shift();
    if (mishap === undefined) return act();
    if (mishap.did === true) act();
    return { ok: false, fault: mishap.fault };
  }
}
