import type { Failure } from '../domain/outcome.ts';
import type { Run, UnitRecord } from '../domain/run.ts';
import { errors } from '../errors.ts';
import type { EngineDeps } from './deps.ts';

/** How often the record of the run is looked at while a look is under way, wall milliseconds. */
const everyMs = 1_000;

/**
 * Notices, while a look is under way, that somebody has cancelled the run or that another job has its unit. `signal` aborts
 * then. What is reported after a cancel still counts; a job that lost its unit says nothing more.
 */
export class LookWatch {
  readonly #deps: EngineDeps;
  readonly #run: Run;
  readonly #record: UnitRecord;
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #checkedMs = Number.NEGATIVE_INFINITY;
  #cancelled: Failure | undefined;
  #isSuperseded = false;

  constructor(deps: EngineDeps, run: Run, record: UnitRecord) {
    this.#deps = deps;
    this.#run = run;
    this.#record = record;
    this.#timer = setInterval(() => {
      this.#refresh().catch((error: unknown) => {
        deps.log.warn({ run: run.id, unit: record.unit, error: String(error) }, 'run could not be read during a look');
      });
    }, everyMs);
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Set once a person has cancelled the run. */
  get cancelled(): Failure | undefined {
    return this.#cancelled;
  }

  get isSuperseded(): boolean {
    return this.#isSuperseded;
  }

  /** Asked before anything is said. Errors: lease-lost, when this job has lost its unit; those of the store. */
  async check(): Promise<void> {
    await this.#refresh();
    if (this.#isSuperseded) this.#stop.signal.throwIfAborted();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  /** Reads the record of the run, unless it was read a moment ago. */
  async #refresh(): Promise<void> {
    const nowMs = this.#deps.clock.nowMs();
    if (nowMs - this.#checkedMs < everyMs) return;
    this.#checkedMs = nowMs;
    this.#see(await this.#deps.runs.get(this.#run.id));
  }

  #see(run: Run | undefined): void {
    const { unit: name, generation } = this.#record;
    const unit = run?.units[name];
    if (unit === undefined || unit.generation !== generation || unit.state !== 'planning') {
      this.#isSuperseded = true;
      this.#stop.abort(errors.leaseLost({ unit: name }));
    } else if (run?.cancel && this.#cancelled === undefined) {
      const error = errors.cancelled({ run: this.#run.id, by: run.cancel.by.displayName, target: name });
      this.#cancelled = error.failure;
      this.#stop.abort(error);
    }
  }
}
