// Generates docs/reference/CONFIGURATION.md from the schemas of config.yaml and server.yaml. Run it when they change:
// node scripts/config-reference.mjs
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { configSchema } from '../src/config/profile.ts';
import { serverSettingsSchema } from '../src/server/settings/server-settings.ts';

const page = new URL('../docs/reference/CONFIGURATION.md', import.meta.url);

/** Returns the generated page. */
export function configReference() {
  const { properties } = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' });
  const { profiles, ...top } = properties;
  const { notices, mcp_servers, model, ...profile } = profiles.additionalProperties.properties;
  const server = z.toJSONSchema(serverSettingsSchema, { io: 'input', unrepresentable: 'any' });
  const channels = notices.additionalProperties.oneOf ?? notices.additionalProperties.anyOf;
  return `# config.yaml

Every key there is, made from the schema that reads the file (\`scripts/config-reference.mjs\`); a key that is not here is refused, with its line and the nearest right one. \`trade-agent config path\` says where the file is, \`config get|set|unset|edit\` read and change it, and [schema/config.schema.json](schema/config.schema.json) has it for editors. Nothing in it is secret: tokens, keys and passwords are in the credential store. The sandbox needs no file at all.

${table(top)}

## A profile: \`profiles.NAME\`

A name has small letters, digits, \`-\` and \`_\`, 32 at most. "trade-agent profile add" writes one.

${table(profile)}

## The model: \`profiles.NAME.model\`

${table(model.properties)}

## Notice channels: \`profiles.NAME.notices.CHANNEL\`

${notices.description} "trade-agent notices add" writes one; [NOTICES.md](../guide/NOTICES.md) says more.

${table(shared(channels))}

${channels.map((one) => `\`kind: ${one.properties.kind.const}\`${ownTable(one, channels)}`).join('\n\n')}

## Other people's MCP servers: \`profiles.NAME.mcp_servers.SERVER\`

${mcp_servers.description} "trade-agent mcp servers add" writes one; [MCP.md](../guide/MCP.md) says more.

${table(mcp_servers.additionalProperties.properties)}

## A server: \`server.yaml\`

Of \`trade-agent server\` and \`trade-agent worker\`, in a folder of their own; [SERVER.md](../operate/SERVER.md) says more. \`model\` is as a profile's above, \`database\` and \`telemetry\` as in \`gateway.yaml\` ([GATEWAY.md](../operate/GATEWAY.md), [OPERATIONS.md](../operate/OPERATIONS.md)).

${table(server.properties)}
`;
}

/** Returns the settings that all kinds of channels share. */
function shared(channels) {
  const [first, ...rest] = channels;
  const names = Object.keys(first.properties).filter(
    (name) => name !== 'kind' && rest.every(({ properties }) => name in properties),
  );
  return Object.fromEntries(names.map((name) => [name, first.properties[name]]));
}

function ownTable({ properties }, channels) {
  const common = shared(channels);
  const own = Object.entries(properties).filter(([name]) => name !== 'kind' && !(name in common));
  return own.length === 0 ? ' takes no more than these.' : `\n\n${table(Object.fromEntries(own))}`;
}

function table(properties) {
  const rows = Object.entries(properties).map(
    ([name, schema]) => `| \`${name}\` | ${kind(schema)} | ${usual(schema)} | ${about(schema)} |`,
  );
  return ['| key | value | by itself | |', '|---|---|---|---|', ...rows].join('\n');
}

function kind({ enum: values, const: only, type, items, format, additionalProperties, properties, anyOf, ...schema }) {
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(', ');
  if (only !== undefined) return `\`${only}\``;
  if (type === 'array') return `a list: ${kind(items)}`;
  if (properties !== undefined)
    return Object.keys(properties)
      .map((name) => `\`${name}\``)
      .join(', ');
  if (type === 'object') return `by name: ${kind(additionalProperties)}`;
  if (anyOf !== undefined) return anyOf.map(kind).join(' or ');
  if (type === 'integer' || type === 'number')
    return `${type === 'integer' ? 'a whole number' : 'a number'}${range(schema)}`;
  if (type === 'boolean') return '`true`, `false`';
  if (format === 'uri') return 'an address';
  return format === 'email' ? 'an e-mail address' : 'text';
}

function range({ minimum, maximum }) {
  const [low, high] = [minimum, maximum].map((one) => (Math.abs(one) < Number.MAX_SAFE_INTEGER ? one : undefined));
  if (low === undefined) return '';
  return high === undefined ? `, ${low} or more` : `, ${low} to ${high}`;
}

const usual = ({ default: value }) =>
  value === undefined || typeof value === 'object' ? '' : `\`${JSON.stringify(value)}\``;

function about({ description = '' }) {
  const text = description.replaceAll('|', '\\|').replace(/\.$/, '');
  return text === ''
    ? ''
    : `${text[0].toLowerCase() === text[0] || /^[A-Z]{2}/.test(text) ? text : text[0].toLowerCase() + text.slice(1)}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(page, configReference());
