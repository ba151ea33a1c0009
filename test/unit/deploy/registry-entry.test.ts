import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface Entry {
  readonly members: object;
  readonly server: {
    readonly name: string;
    readonly version: string;
    readonly description: string;
    readonly packages: readonly object[];
  };
}

const { registryEntry } = (await import(new URL('../../../scripts/registry-entry.mjs', import.meta.url).href)) as {
  registryEntry: (packageJson: object, repository: string) => Entry;
};
const packageJson = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));

describe('the entry for the MCP Registry', () => {
  const { server, members } = registryEntry(packageJson, 'acme/trade-agent');

  it('is named after the repository’s owner, as the package is', () => {
    expect(server.name).toBe('io.github.acme/trade-agent');
    expect(members).toEqual({
      mcpName: server.name,
      repository: { type: 'git', url: 'git+https://github.com/acme/trade-agent.git' },
    });
  });

  it('starts the MCP server of this version of the package', () => {
    expect(server.version).toBe(packageJson.version);
    expect(server.packages).toMatchObject([
      {
        registryType: 'npm',
        identifier: packageJson.name,
        version: packageJson.version,
        transport: { type: 'stdio' },
        packageArguments: [
          { type: 'positional', value: 'mcp' },
          { type: 'named', name: '--profile' },
        ],
      },
    ]);
  });

  it('keeps to the registry’s limits', () => {
    expect(server.description.length).toBeLessThanOrEqual(100);
    expect(server.name).toMatch(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/);
  });

  it.each(['', 'acme', 'acme/a/b', 'a b/c', 'https://github.com/acme/x'])('refuses %j as a repository', (wrong) => {
    expect(() => registryEntry(packageJson, wrong)).toThrow('is not a GitHub repository');
  });
});
