import { fstatSync, statSync } from 'node:fs';
import { devNull } from 'node:os';
import { Readable } from 'node:stream';
import type { InputStream } from './io.ts';

/**
 * Standard input. The null device (cron, many scripts) is replaced by a stream at its end: to open the device Node
 * would start its thread pool, and a run would wait for it. @param descriptor 0, except in tests
 */
export function standardInput(descriptor = 0): InputStream {
  return isNullDevice(descriptor) ? new Readable({ read: atItsEnd }) : process.stdin;
}

function atItsEnd(this: Readable): void {
  this.push(null);
}

function isNullDevice(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor);
    return stat.isCharacterDevice() && stat.rdev !== 0 && stat.rdev === statSync(devNull).rdev;
  } catch {
    // Closed, or no such device on this system.
    return false;
  }
}
