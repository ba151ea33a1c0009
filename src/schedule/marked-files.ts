import { rmSync } from 'node:fs';
import { TradeAgentError } from '../errors/errors.ts';
import { readFileIfExists, writePrivateFile } from '../machine/private-file.ts';
import type { SchedulerEntryPart, SchedulerEntryState } from './scheduler.ts';

/** Returns the text that marks a schedule's files. Files without this text were not written by trade-agent. */
export function getFileMarker(id: string): string {
  return `trade-agent schedule ${id}; "trade-agent schedule remove ${id}" removes it`;
}

/** Writes the files. @throws {TradeAgentError} `invalid_config` if one exists and was not written by trade-agent */
export function writeMarkedFiles(id: string, parts: readonly SchedulerEntryPart[]): void {
  for (const { file } of parts) if (file !== null) requireOurs(file, id);
  for (const { file, text } of parts) if (file !== null) writePrivateFile(file, text);
}

/** Removes the files. Returns false if none of them existed. @throws {TradeAgentError} like {@link writeMarkedFiles} */
export function removeMarkedFiles(id: string, files: readonly string[]): boolean {
  const there = files.filter((file) => requireOurs(file, id));
  for (const file of there) rmSync(file);
  return there.length > 0;
}

export function markedFilesState(parts: readonly SchedulerEntryPart[]): SchedulerEntryState {
  const found = parts.map(({ file, text }) => {
    const content = file === null ? undefined : readFileIfExists(file);
    return content === undefined ? 'missing' : content === text ? 'installed' : 'changed';
  });
  if (found.every((state) => state === found[0])) return found[0] ?? 'missing';
  return 'changed';
}

function requireOurs(file: string, id: string): boolean {
  const content = readFileIfExists(file);
  if (content === undefined) return false;
  if (content.includes(`trade-agent schedule ${id};`)) return true;
  throw new TradeAgentError('invalid_config', `${file} was not written by trade-agent`, {
    hint: 'The file was not changed. Move it elsewhere, then try again.',
  });
}
