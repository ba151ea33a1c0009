import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

export type CompiledCode = Map<string, Buffer>;

interface Header {
  /** Of the program and of Node. V8 itself refuses what it compiled under other flags. */
  readonly build: string;
  readonly node: string;
  /** SHA-256 of everything after it: V8 trusts what it is given, and crashes on damaged code. */
  readonly sum: string;
  readonly chunks: readonly (readonly [name: string, bytes: number])[];
}

/** Another version, or another kind of processor, must not use it. */
const node = `${process.version} ${process.platform} ${process.arch}`;

/** Loaded when needed: it takes a fifth of the time of `--version`. */
const sumOf = (data: Buffer) => process.getBuiltinModule('node:crypto').hash('sha256', data);

/** Empty if the file is missing or damaged, or is another build's or another Node's. */
export function readCompiledCode(file: string, build: string): CompiledCode {
  const code: CompiledCode = new Map();
  try {
    const bytes = readFileSync(file);
    const start = bytes.indexOf('\n') + 1;
    const header = JSON.parse(bytes.toString('latin1', 0, start)) as Header;
    const data = bytes.subarray(start);
    if (header.build !== build || header.node !== node || header.sum !== sumOf(data)) return code;
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

/** Replaces the file atomically. A full disk only costs time at the next start. */
export function writeCompiledCode(file: string, build: string, code: CompiledCode): void {
  const data = Buffer.concat([...code.values()]);
  const chunks = [...code].map(([name, { length }]) => [name, length] as const);
  const header: Header = { build, node, sum: sumOf(data), chunks };
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
