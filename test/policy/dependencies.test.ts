import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { dependencies, devDependencies } from './dependencies.ts';
import { importsOf, readSource, typescriptIn } from './sources.ts';

const Versions = z.record(z.string(), z.string());
const Manifest = z.object({
  dependencies: Versions,
  devDependencies: Versions,
  engines: z.object({ node: z.string() }),
});
const LockFile = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      resolved: z.string().optional(),
      integrity: z.string().optional(),
      os: z.array(z.string()).optional(),
      optionalDependencies: Versions.optional(),
    }),
  ),
});

const manifest = Manifest.parse(JSON.parse(readSource('package.json').text));
const lock = LockFile.parse(JSON.parse(readSource('package-lock.json').text));

describe('dependencies', () => {
  it('are those of the list, each with its reason', () => {
    expect(Object.keys(manifest.dependencies).toSorted()).toEqual(Object.keys(dependencies).toSorted());
    expect(Object.keys(manifest.devDependencies).toSorted()).toEqual(Object.keys(devDependencies).toSorted());
  });

  it('are pinned to one exact version, and the lock file has the same one', () => {
    const all = { ...manifest.dependencies, ...manifest.devDependencies };

    const loose = Object.entries(all).filter(
      ([name, version]) =>
        !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version) || lock.packages[`node_modules/${name}`]?.version !== version,
    );

    expect(loose).toEqual([]);
  });

  it('are locked with a checksum and without the address they came from', () => {
    const entries = Object.entries(lock.packages).filter(([path]) => path !== '');
    // A build for another platform may be unknown to the registry that the lock file was made with.
    const unchecked = entries.filter(([, entry]) => entry.integrity === undefined && entry.os === undefined);

    expect(entries.filter(([, entry]) => entry.resolved !== undefined).map(([path]) => path)).toEqual([]);
    expect(unchecked.map(([path]) => path)).toEqual([]);
  });

  it('are locked with the builds for every platform (`node scripts/complete-lock.mjs` adds them)', () => {
    const wanted = Object.values(lock.packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
    const locked = new Set(Object.keys(lock.packages).map((path) => path.replace(/^.*node_modules\//, '')));

    expect(wanted.length).toBeGreaterThan(0);
    expect(wanted.filter((name) => !locked.has(name))).toEqual([]);
  });

  it('that only the lab or the tests need are not installed where dpubot runs for real', () => {
    const product = typescriptIn('src', 'commands', 'jobs').filter(({ path }) => !path.startsWith('src/lab/'));
    const imported = new Set(
      product
        .flatMap(importsOf)
        .filter((one) => one.isPackage && !one.typeOnly)
        .map((one) => one.to),
    );

    expect([...imported].filter((name) => name in devDependencies)).toEqual([]);
  });
});
