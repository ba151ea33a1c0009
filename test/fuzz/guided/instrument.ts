import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire, registerHooks, stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
type Plugin = () => unknown;
interface Babel {
  transformSync(code: string, options: Record<string, unknown>): { code: string };
}

/**
 * The project's sources are loaded with Jazzer.js's counters in them, everything else as it is. Its plugins alone are used:
 * its engine, libFuzzer, asks for a newer C library than Debian 12 has, and is not loaded (docs/develop/DEPENDENCIES.md).
 */
export function instrumentSources(): void {
  const instrumentor = createRequire(require.resolve('@jazzer.js/instrumentor'));
  const { transformSync } = instrumentor('@babel/core') as Babel;
  const { esmCodeCoverage } = instrumentor('./plugins/esmCodeCoverage.js') as {
    esmCodeCoverage: () => { plugin: Plugin; edgeCount(): number };
  };
  const { compareHooks } = instrumentor('./plugins/compareHooks.js') as { compareHooks: Plugin };
  const sources = new URL('../../../src/', import.meta.url).href;

  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (!url.startsWith(sources) || loaded.format !== 'module-typescript') return loaded;
      const source = kept(String(loaded.source), url, () => {
        const coverage = esmCodeCoverage();
        const { code } = transformSync(stripTypeScriptTypes(String(loaded.source)), {
          filename: fileURLToPath(url),
          plugins: [coverage.plugin, compareHooks],
          sourceType: 'module',
          retainLines: true,
          ...{ configFile: false, babelrc: false, compact: false },
        });
        return `const __jazzer_cov = Fuzzer.coverageTracker.createModuleCounters(${coverage.edgeCount()});${code}`;
      });
      return { format: 'module', source, shortCircuit: true };
    },
  });
}

const itself = readFileSync(import.meta.filename, 'utf8');
const folder = fileURLToPath(new URL('../../../test-results/instrumented/', import.meta.url));

/** Hundreds of sources take longer than fuzzing them for a few seconds: what was made of one is kept until it changes. */
function kept(source: string, url: string, make: () => string): string {
  const file = join(folder, createHash('sha256').update([itself, url, source].join('\n')).digest('hex'));
  try {
    return readFileSync(file, 'utf8');
  } catch {
    const made = make();
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${file}.${process.pid}`, made);
    renameSync(`${file}.${process.pid}`, file);
    return made;
  }
}
