import { join, resolve } from 'node:path';
import type { GatewayPlaces } from '../../../app/gateway/settings-file.ts';
import { gatewayHome } from '../../../machine/directories.ts';
import type { CliCommand } from '../../context/cli-command.ts';

export function gatewayPlacesOf(command: CliCommand): GatewayPlaces {
  const { home, config } = command.optsWithGlobals<{ home?: string; config?: string }>();
  const folder = resolve(home ?? gatewayHome(command.cli.env));
  return { home: folder, config: resolve(config ?? join(folder, 'gateway.yaml')) };
}
