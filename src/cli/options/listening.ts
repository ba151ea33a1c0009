import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import type { ListenOptions } from '../../net/http-server.ts';
import { createTrustedProxyList } from '../../net/peer-list.ts';
import { createChoiceOption, createPortParser } from './choice.ts';

export const logFormatOption = () =>
  createChoiceOption('--log-format <format>', 'log as text or json (default: text on a terminal, else json)', [
    'text',
    'json',
  ]);

export interface ListeningFlags {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly proxy: readonly string[];
}

export function addListeningOptions<C extends Command>(command: C): C {
  return command
    .addOption(logFormatOption())
    .option('--tls-cert <file>', 'serve TLS with this certificate and its chain (PEM); reloaded when renewed')
    .option('--tls-key <file>', "the certificate's private key (PEM)")
    .option(
      '--proxy <address>',
      'accept connections only from this proxy address or network (10.0.0.0/24); repeatable',
      addProxy,
      [],
    );
}

function addProxy(text: string, before: readonly string[]): readonly string[] {
  try {
    createTrustedProxyList([text]);
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    throw new InvalidArgumentError(`${error.message}. ${error.hint ?? ''}`);
  }
  return [...before, text];
}

export function addServingOptions<C extends Command>(command: C, port: number): C {
  command
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--port <number>', 'the port to listen on; 0 picks a free one', createPortParser(65_535), port);
  return addListeningOptions(command).option(
    '--ready-file <file>',
    'write the address and process ID to this file once the server is ready',
  );
}

export interface ServingFlags extends ListeningFlags {
  readonly host: string;
  readonly port: number;
  readonly readyFile?: string;
}

export function toServeOptions({ host, port, readyFile, ...flags }: ServingFlags) {
  const ready = readyFile === undefined ? {} : { readyFile: resolve(readyFile) };
  return { host, port, ...toListenOptions(flags), ...ready };
}

/** Converts the flags to options. @throws {TradeAgentError} `usage` if only one of certificate and key is given */
export function toListenOptions(flags: ListeningFlags): Pick<ListenOptions, 'tls' | 'proxy'> {
  const { tlsCert, tlsKey, proxy } = flags;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    const missing = tlsCert === undefined ? '--tls-cert' : '--tls-key';
    throw new TradeAgentError('usage', `${missing} is missing`, {
      hint: 'TLS needs both the certificate with its chain and its private key.',
    });
  }
  return {
    ...(tlsCert === undefined || tlsKey === undefined
      ? {}
      : { tls: { certFile: resolve(tlsCert), keyFile: resolve(tlsKey) } }),
    ...(proxy.length === 0 ? {} : { proxy: { addresses: proxy } }),
  };
}
