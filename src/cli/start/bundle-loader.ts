import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Script } from 'node:vm';
import { defined } from '../../values/defined.ts';
import { type CompiledCode, readCompiledCode, writeCompiledCode } from './compiled-code.ts';

export interface Bundle {
  load(name: string): unknown;
  /** Stores newly compiled code, if there is any, for the next start. */
  storeCompiledCode(): void;
}

type ChunkFunction = (
  exports: unknown,
  require: (name: string) => unknown,
  module: { exports: unknown },
  url: string,
) => void;

/**
 * Opens a bundle. Loads its chunks as Node loads CommonJS modules, but reads V8's compiled code of all chunks from one
 * file. Unlike Node's own compile cache, this file includes functions that were compiled after loading.
 * @param folder `file:` URL of dist/, ending in "/"
 * @param compiledFile the file for compiled code; undefined disables it
 * @param build identifies the build, because compiled code of another build can't be used
 */
export function openBundle(folder: URL, compiledFile: string | undefined, build: string): Bundle {
  const compiled: CompiledCode = compiledFile === undefined ? new Map() : readCompiledCode(compiledFile, build);
  const requireFromNode = createRequire(folder);
  const loaded = new Map<string, { exports: unknown; script: Script }>();
  let fresh = false;

  const require = (name: string): unknown => (name.startsWith('./') ? load(name.slice(2)) : requireFromNode(name));
  require.resolve = requireFromNode.resolve;

  function load(name: string): unknown {
    const found = loaded.get(name);
    if (found !== undefined) return found.exports;
    const url = new URL(name, folder);
    // Chunks are ASCII (scripts/bundle/chunk-functions.mjs), and Latin-1 is the fastest to read.
    const source = readFileSync(url, 'latin1');
    const cachedData = compiled.get(name);
    const script = new Script(source, {
      filename: url.pathname,
      ...defined({ cachedData }),
    });
    if (cachedData === undefined || script.cachedDataRejected === true) fresh = true;
    const module = { exports: {} as unknown, script };
    loaded.set(name, module);
    try {
      (script.runInThisContext() as ChunkFunction)(module.exports, require, module, url.href);
    } catch (error) {
      // Removes the chunk, so that loading it again fails again instead of returning incomplete exports.
      loaded.delete(name);
      throw error;
    }
    return module.exports;
  }

  return {
    load,
    storeCompiledCode() {
      if (compiledFile === undefined || !fresh) return;
      fresh = false;
      const all: CompiledCode = new Map(compiled);
      for (const [name, { script }] of loaded) all.set(name, script.createCachedData());
      writeCompiledCode(compiledFile, build, all);
    },
  };
}
