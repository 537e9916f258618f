import { fileIdOf } from './blocks/elements.ts';
import { isObject } from './blocks/report.ts';
import type { Directory } from './directory.ts';
import type { Feed } from './feed.ts';
import type { Ids } from './ids.ts';
import type { Clock, FileObject } from './types.ts';

interface StoredFile {
  file: FileObject;
  uploadPath: string;
  bytes: Buffer | undefined;
  completedAtMs: number | undefined;
  /** Channels where it was shared or stands in an image, and people in whose views it does. */
  shownIn: Set<string>;
}

const kinds: Record<string, { mimetype: string; pretty: string }> = {
  png: { mimetype: 'image/png', pretty: 'PNG' },
  jpg: { mimetype: 'image/jpeg', pretty: 'JPEG' },
  jpeg: { mimetype: 'image/jpeg', pretty: 'JPEG' },
  gif: { mimetype: 'image/gif', pretty: 'GIF' },
  svg: { mimetype: 'image/svg+xml', pretty: 'SVG' },
  json: { mimetype: 'application/json', pretty: 'JSON' },
  txt: { mimetype: 'text/plain', pretty: 'Plain Text' },
  log: { mimetype: 'text/plain', pretty: 'Plain Text' },
  csv: { mimetype: 'text/csv', pretty: 'CSV' },
};
const imageMimetypes = ['image/png', 'image/jpeg', 'image/gif'];

/**
 * Uploaded files. Slack works on an upload for a moment after it is completed: until then `mimetype` is empty and an image
 * block that names it is refused as `invalid slack file` (slackapi/node-slack-sdk#1865, slackapi/python-slack-sdk#1658).
 */
export class FileStore {
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #directory: Directory;
  readonly #processingMs: number;
  readonly #files = new Map<string, StoredFile>();

  constructor(clock: Clock, ids: Ids, directory: Directory, processingMs: number) {
    this.#clock = clock;
    this.#ids = ids;
    this.#directory = directory;
    this.#processingMs = processingMs;
  }

  /** Reserves an id and an address to POST the bytes to. */
  reserve(origin: string, name: string, size: number, altText: string | undefined): { id: string; path: string } {
    const id = this.#ids.next('F');
    const created = Math.floor(this.#clock.nowMs() / 1000);
    const url = `${origin}/files-pri/${this.#directory.team.id}-${id}`;
    const safeName = encodeURIComponent(name.toLowerCase());
    const path = `/upload/v1/${this.#ids.secret(20)}`;
    const file: FileObject = {
      id,
      created,
      timestamp: created,
      name,
      title: name,
      mimetype: '',
      filetype: '',
      pretty_type: '',
      user: this.#directory.app.botUserId,
      size,
      mode: 'hosted',
      is_external: false,
      is_public: false,
      url_private: `${url}/${safeName}`,
      url_private_download: `${url}/download/${safeName}`,
      permalink: `https://${this.#directory.team.domain}.slack.invalid/files/${id}/${safeName}`,
      channels: [],
      groups: [],
      ims: [],
    };
    if (altText !== undefined) file.alt_txt = altText;
    this.#files.set(id, { file, uploadPath: path, bytes: undefined, completedAtMs: undefined, shownIn: new Set() });
    return { id, path };
  }

  /** Takes the bytes of an upload; false for an unknown address or a length other than announced. */
  receive(path: string, bytes: Buffer): boolean {
    const stored = [...this.#files.values()].find((one) => one.uploadPath === path);
    if (stored === undefined || bytes.length !== stored.file.size) {
      return false;
    }
    stored.bytes = bytes;
    return true;
  }

  /** Ends an upload; undefined when there is no such file or its bytes never came. */
  complete(id: string, title: string | undefined): FileObject | undefined {
    const stored = this.#files.get(id);
    if (stored?.bytes === undefined) {
      return undefined;
    }
    stored.completedAtMs ??= this.#clock.nowMs();
    stored.file.title = title ?? stored.file.title;
    return this.find(id);
  }

  /** A completed file in its present state. */
  find(id: string): FileObject | undefined {
    const stored = this.#files.get(id);
    if (stored?.completedAtMs === undefined) {
      return undefined;
    }
    if (this.#clock.nowMs() - stored.completedAtMs >= this.#processingMs) {
      const extension = stored.file.name.split('.').at(-1)?.toLowerCase() ?? '';
      const kind = kinds[extension] ?? { mimetype: 'application/octet-stream', pretty: 'Binary' };
      stored.file.mimetype = kind.mimetype;
      stored.file.filetype = kinds[extension] === undefined ? 'binary' : extension;
      stored.file.pretty_type = kind.pretty;
    }
    return stored.file;
  }

  bytesOf(id: string): Buffer | undefined {
    return this.#files.get(id)?.bytes;
  }

  /** Whether an image block may show the file: png, jpg or gif, and no longer in processing. */
  isUsableImage(id: string): boolean {
    return imageMimetypes.includes(this.find(id)?.mimetype ?? '');
  }

  /**
   * Files that a text of the app links to. An upload that named no channel is private to the app until the app itself posts
   * its permalink in the top-level text (slackapi/bolt-python#1018, slackapi/python-slack-sdk#1194).
   */
  linkedFrom(text: string): FileObject[] {
    return [...this.#files.keys()].flatMap((id) => {
      const file = this.find(id);
      return file !== undefined && text.includes(file.permalink) ? [file] : [];
    });
  }

  /** Notes that a channel shows a file, or a view that one person has: whoever sees that may read it. */
  show(id: string, where: string): void {
    this.#files.get(id)?.shownIn.add(where);
  }

  /** Notes what every message and view shows in its images, from now on. */
  followShown(feed: Feed): void {
    feed.follow(({ event }) => {
      if ('message' in event) {
        this.#showAll(event.message.blocks, 'user' in event ? event.user : event.channel);
      } else if ('view' in event) {
        this.#showAll(event.view.blocks, event.user);
      }
    });
  }

  #showAll(value: unknown, where: string): void {
    if (Array.isArray(value)) {
      value.forEach((item) => this.#showAll(item, where));
    } else if (isObject(value)) {
      if (isObject(value.slack_file)) {
        this.show(fileIdOf(value.slack_file), where);
      }
      this.#showAll(Object.values(value), where);
    }
  }

  /** Channels whose people may read a file, and people who may; none while it is private to the app. */
  shownIn(id: string): ReadonlySet<string> {
    return this.#files.get(id)?.shownIn ?? new Set();
  }

  /** Notes where a file was shared; `files.info` is how an app finds out. */
  share(file: FileObject, channel: { id: string; name: string }, ts: string, threadTs: string | undefined): void {
    this.show(file.id, channel.id);
    file.is_public = true;
    file.channels = [...new Set([...file.channels, channel.id])];
    file.shares ??= { public: {} };
    const shares = (file.shares.public[channel.id] ??= []);
    shares.push({ ts, channel_name: channel.name, ...(threadTs === undefined ? {} : { thread_ts: threadTs }) });
  }
}
