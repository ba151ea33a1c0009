import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { TradeAgentError } from '../../errors/errors.ts';
import { readPrivateFile, writePrivateFile } from '../../machine/private-file.ts';
import type { CredentialStore } from '../credential-store.ts';
import { parseSealedFile, sealCredentials, unsealCredentials } from '../file/sealed-file.ts';
import { withStoreLock } from '../store-lock.ts';

/**
 * Credentials for third-party MCP servers: tokens and registrations, by issuer. Some are too long for a keychain entry,
 * so all of them are kept in a file (0600) that is sealed with a key from the credential store.
 */
export type McpCredentialStore = ReturnType<typeof createMcpCredentialStore>;
const MAX_FILE_BYTES = 1024 * 1024;
const WRITE_LOCK_WAIT_MS = 30_000;

/** Creates a profile's store. @param folder the folder of the profile's credential file or keychain marker */
export function createMcpCredentialStore(store: CredentialStore, folder: string, profile: string) {
  const file = mcpCredentialFilePath(folder, profile);
  const context = `trade-agent-mcp/1/${profile}`;
  const damaged = (why: string) =>
    new TradeAgentError('credential_store_unavailable', `${file} can't be used: ${why}`, {
      hint: 'Remove the file and sign in to the MCP servers again ("trade-agent mcp servers test NAME").',
    });
  const read = async (): Promise<Record<string, string>> => {
    const text = readPrivateFile(file, MAX_FILE_BYTES, damaged);
    if (text === undefined) return {};
    const { mcp_key: ahead } = await store.get(['mcp_key']);
    // Another process may have created the key since this process prefetched its credentials.
    const key = ahead ?? (await store.get(['mcp_key'], { fresh: true })).mcp_key;
    if (key === undefined) throw damaged('its key is not in the credential store');
    try {
      return unsealCredentials(parseSealedFile(text), Buffer.from(key, 'hex'), context);
    } catch {
      // The parser's message is left out, because it may quote the file.
      throw damaged('it is damaged, or sealed with another key');
    }
  };
  return {
    /** Returns all current values. @throws {TradeAgentError} `credential_store_…` */
    read,
    /** Changes the values under a lock. @throws {TradeAgentError} `credential_store_…` */
    change: (apply: (values: Record<string, string>) => void): Promise<void> =>
      withStoreLock(`${file}.lock`, { waitMs: WRITE_LOCK_WAIT_MS }, async () => {
        const values = await read();
        apply(values);
        const key = Buffer.from(await mcpKey(store), 'hex');
        writePrivateFile(file, sealCredentials(values, { kind: 'file' }, key, context));
      }),
    /** Runs `work` while no other process refreshes an MCP server's tokens for this profile. */
    exclusively: <T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> =>
      store.exclusively('mcp', work, signal),
  };
}

export function mcpCredentialFilePath(folder: string, profile: string): string {
  return join(folder, `mcp-credentials-${profile}.json`);
}

/** Deletes the key before the file, because without the key, the file and its copies are useless. */
export async function eraseMcpCredentials(store: CredentialStore, folder: string, profile: string): Promise<void> {
  await store.delete(['mcp_key']);
  rmSync(mcpCredentialFilePath(folder, profile), { force: true });
}

/** Returns or creates the sealing key. The caller must hold the file's lock, so that two processes get the same key. */
async function mcpKey(store: CredentialStore): Promise<string> {
  const { mcp_key: kept } = await store.get(['mcp_key'], { fresh: true });
  if (kept !== undefined) return kept;
  const made = randomBytes(32).toString('hex');
  await store.set({ mcp_key: made });
  return made;
}
