/** Every command by name. Each is loaded when it is called: help answers at once, and a process loads only its own rooms. */
import type { Command } from './command.ts'

type Entry = { summary: string; load: () => Promise<Command> }

/** The commands, in the order of the help. */
export const commands = {
  start: {
    summary: 'the service on this machine: database, all processes, keys and certificates',
    load: async () => (await import('./start.ts')).startCommand,
  },
  serve: {
    summary: 'the API process',
    load: async () => (await import('./serve.ts')).serveCommand,
  },
  work: {
    summary: 'a worker of the key side or of the data side',
    load: async () => (await import('./work.ts')).workCommand,
  },
  sign: {
    summary: 'the signer of the trail',
    load: async () => (await import('./sign.ts')).signCommand,
  },
  migrate: {
    summary: 'bring the database to the schema of this release',
    load: async () => (await import('./migrate.ts')).migrateCommand,
  },
  config: {
    summary: 'show the settings and their values',
    load: async () => (await import('./config-command.ts')).configCommand,
  },
  openapi: {
    summary: 'write the OpenAPI document, or check that it is fresh',
    load: async () => (await import('./openapi.ts')).openapiCommand,
  },
} as const satisfies Record<string, Entry>

export type CommandName = keyof typeof commands

/** The help of the whole. */
export function helpText(version: string): string {
  const entries = Object.entries(commands)
  const width = Math.max(...entries.map(([name]) => name.length))
  return [
    `gyeol ${version}: a trusted third party for pseudonymised linkage`,
    '',
    'usage: gyeol <command> [options]',
    '',
    ...entries.map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    '`gyeol <command> --help` shows options and examples. Settings are environment variables: `gyeol config`.',
  ].join('\n')
}
