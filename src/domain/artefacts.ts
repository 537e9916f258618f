/** A file that belongs to a run: a long log, a chart, raw figures. Kept in the store as long as the run. */
export interface ArtefactRef {
  /** Same content, same id. */
  readonly id: string;
  readonly name: string;
  readonly mimeType: string;
  readonly bytes: number;
  /** For pictures: what they show, in words. */
  readonly altText?: string;
}

/** At most this many bytes per file. */
export const ARTEFACT_MAX_BYTES = 1024 * 1024;

export interface ArtefactStore {
  /** Stores the file; the same content again is the same file. Rejects files over the limit (a bug). */
  put(
    runId: number,
    file: {
      readonly name: string;
      readonly mimeType: string;
      readonly content: Uint8Array;
      readonly altText?: string;
    },
  ): Promise<ArtefactRef>;
  get(runId: number, id: string): Promise<Uint8Array | undefined>;
}
