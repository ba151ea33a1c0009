// Describes a release for the MCP Registry (https://registry.modelcontextprotocol.io). The registry publishes a server
// only if its package names it as `mcpName`, and npm accepts provenance only if the package names its `repository`. Both
// depend on where the release is built, so package.json doesn't have them.

const SCHEMA = 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json';

/** The registry limits it to 100 characters, which package.json's description exceeds. */
const DESCRIPTION = 'Looks after a brokerage account. Places no order that its owner did not approve on their phone.';

/**
 * Returns the registry's `server.json`, and the members of package.json that go with it.
 * @param repository a GitHub repository, such as "owner/name"
 */
export function registryEntry({ name, version }, repository) {
  if (!/^[A-Za-z0-9-]+\/[A-Za-z0-9._-]+$/.test(repository)) {
    throw new Error(`"${repository}" is not a GitHub repository. Set GITHUB_REPOSITORY to OWNER/NAME.`);
  }
  const [owner] = repository.split('/');
  const url = `https://github.com/${repository}`;
  const mcpName = `io.github.${owner}/${name}`;
  return {
    members: { repository: { type: 'git', url: `git+${url}.git` }, mcpName },
    server: {
      $schema: SCHEMA,
      name: mcpName,
      title: name,
      description: DESCRIPTION,
      version,
      repository: { url, source: 'github' },
      packages: [
        {
          registryType: 'npm',
          registryBaseUrl: 'https://registry.npmjs.org',
          identifier: name,
          version,
          runtimeHint: 'npx',
          transport: { type: 'stdio' },
          packageArguments: [
            { type: 'positional', value: 'mcp', valueHint: 'command' },
            { type: 'named', name: '--profile', description: 'The profile to use', placeholder: 'sandbox' },
          ],
          environmentVariables: [
            { name: 'TRADE_AGENT_HOME', description: 'The folder of all files', format: 'filepath' },
          ],
        },
      ],
    },
  };
}
