import { fstatSync, statSync } from 'node:fs';
import { devNull } from 'node:os';
import { Readable } from 'node:stream';
import type { InputStream } from './io.ts';

/**
 * Standard input. Where it is the null device, as under cron and in many scripts, a stream that is at its end: to open
 * the device Node would start its pool of threads, and a run wait for it.
 * @param descriptor 0, but in tests
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
    // Closed, or a system that has no such device by that name.
    return false;
  }
}
