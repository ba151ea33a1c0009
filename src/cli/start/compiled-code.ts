import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

export type CompiledCode = Map<string, Buffer>;

interface Header {
  /**
   * ID of the program's build. It does not cover V8's flags, because V8 rejects code that was compiled with other
   * flags.
   */
  readonly build: string;
  readonly node: string;
  /** SHA-256 of everything after the header. Needed because V8 trusts compiled code and crashes on damaged code. */
  readonly sum: string;
  readonly chunks: readonly (readonly [name: string, bytes: number])[];
}

/** The Node version and platform. Compiled code can't be used with another version or platform. */
const nodeBuild = `${process.version} ${process.platform} ${process.arch}`;

/**
 * Computes a SHA-256 hash. Loads node:crypto on demand, because loading it takes a fifth of the time of `--version`.
 */
const sha256 = (data: Buffer) => process.getBuiltinModule('node:crypto').hash('sha256', data);

/** Reads the file. Returns an empty map if the file is missing, damaged, or from another build or Node version. */
export function readCompiledCode(file: string, build: string): CompiledCode {
  const code: CompiledCode = new Map();
  try {
    const bytes = readFileSync(file);
    const start = bytes.indexOf('\n') + 1;
    const header = JSON.parse(bytes.toString('latin1', 0, start)) as Header;
    const data = bytes.subarray(start);
    if (header.build !== build || header.node !== nodeBuild || header.sum !== sha256(data)) return code;
    let at = 0;
    for (const [name, length] of header.chunks) {
      code.set(name, data.subarray(at, at + length));
      at += length;
    }
    return code;
  } catch {
    return new Map();
  }
}

/** Replaces the file atomically. Ignores errors such as a full disk, which only make the next start slower. */
export function writeCompiledCode(file: string, build: string, code: CompiledCode): void {
  const data = Buffer.concat([...code.values()]);
  const chunks = [...code].map(([name, { length }]) => [name, length] as const);
  const header: Header = { build, node: nodeBuild, sum: sha256(data), chunks };
  const unfinished = `${file}.${process.pid}`;
  try {
    writeFileSync(unfinished, Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`, 'latin1'), data]), {
      mode: 0o600,
    });
    renameSync(unfinished, file);
  } catch {
    rmSync(unfinished, { force: true });
  }
}
