import { fstatSync, statSync } from 'node:fs';
import { devNull } from 'node:os';
import { Readable } from 'node:stream';
import type { InputStream } from './io.ts';

/**
 * Returns standard input. Replaces the null device (used by cron and many scripts) with an empty stream, because
 * reading the device would start Node's thread pool and delay the run.
 * @param descriptor 0, except in tests
 */
export function standardInput(descriptor = 0): InputStream {
  return isNullDevice(descriptor) ? new Readable({ read: pushEnd }) : process.stdin;
}

function pushEnd(this: Readable): void {
  this.push(null);
}

function isNullDevice(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor);
    return stat.isCharacterDevice() && stat.rdev !== 0 && stat.rdev === statSync(devNull).rdev;
  } catch {
    // The descriptor is closed, or this system has no null device.
    return false;
  }
}
