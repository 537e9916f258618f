/**
 * Vitest reporter that writes what `npm test` says at its end: counts and time per layer, and why a test was skipped.
 * The file to write is given in DPUBOT_TEST_SUMMARY.
 */
import { writeFileSync } from 'node:fs';

/**
 * @typedef {object} LayerSummary
 * @property {number} passed
 * @property {number} failed  Tests, and files that could not be run at all.
 * @property {number} skipped
 * @property {number} startMs
 * @property {number} endMs  Wall time of the layer: from its first module's start to its last module's end.
 */

/**
 * @typedef {object} Summary
 * @property {Record<string, LayerSummary>} layers
 * @property {{ title: string, reason: string }[]} skipped
 * @property {{ title: string, message: string }[]} failed  Tests, and suites and files with an error outside any test.
 * @property {number} unhandledErrors
 */

/** Lines of an error that are repeated at the end: a stack that did not start has the ends of its logs in there. */
const messageLines = 12;

// oxlint-disable-next-line import/no-default-export -- vitest takes a reporter by its default export
export default class SummaryReporter {
  /** @type {Map<string, { startMs: number, endMs: number }>} */
  #times = new Map();

  /** @param {import('vitest/node').TestModule} module */
  onTestModuleStart(module) {
    const now = performance.now();
    if (!this.#times.has(module.project.name)) this.#times.set(module.project.name, { startMs: now, endMs: now });
  }

  /** @param {import('vitest/node').TestModule} module */
  onTestModuleEnd(module) {
    const times = this.#times.get(module.project.name);
    if (times) times.endMs = performance.now();
  }

  /**
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly unknown[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    /** @type {Summary} */
    const summary = { layers: {}, skipped: [], failed: [], unhandledErrors: unhandledErrors.length };
    for (const module of modules) this.#count(module, summary);
    const file = process.env.DPUBOT_TEST_SUMMARY;
    if (file !== undefined) writeFileSync(file, JSON.stringify(summary));
  }

  /**
   * @param {import('vitest/node').TestModule} module
   * @param {Summary} summary
   */
  #count(module, summary) {
    const name = module.project.name;
    const times = this.#times.get(name) ?? { startMs: 0, endMs: 0 };
    const layer = (summary.layers[name] ??= { passed: 0, failed: 0, skipped: 0, ...times });
    // An error outside any test (an import that fails, a hook) must not read as "0 failed".
    const fail = (/** @type {string} */ title, /** @type {readonly import('vitest').TestError[]} */ errors) => {
      const message = errors.map((error) => messageOf(error)).join('\n');
      summary.failed.push({ title: `${name}: ${title}`, message });
    };
    for (const outside of [module, ...module.children.allSuites()])
      for (const error of outside.errors()) {
        layer.failed += 1;
        fail(outside.type === 'module' ? module.relativeModuleId : outside.fullName, [error]);
      }
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === 'passed') layer.passed += 1;
      else if (result.state === 'failed') {
        layer.failed += 1;
        fail(test.fullName, result.errors);
      } else {
        layer.skipped += 1;
        const reason = result.state === 'skipped' ? result.note : undefined;
        summary.skipped.push({ title: `${name}: ${test.fullName}`, reason: reason ?? 'no reason given' });
      }
    }
  }
}

/**
 * The beginning of an error's message and of what caused it.
 *
 * @param {import('vitest').TestError} error
 * @returns {string}
 */
function messageOf(error) {
  const cause = error.cause instanceof Object && 'message' in error.cause ? `\ncaused by: ${error.cause.message}` : '';
  return `${error.message}${cause}`.split('\n').slice(0, messageLines).join('\n');
}
