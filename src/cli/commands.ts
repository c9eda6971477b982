/**
 * Every command by name. Each is loaded when it is called: help answers at once, and a process
 * loads only its own rooms.
 */
import type { Command } from './command.ts'

type Entry = { summary: string; load: () => Promise<Command> }

/** The commands, in the order of the help. */
export const commands = {
  demo: {
    summary: 'the whole job on this machine, with five synthetic agencies',
    load: async () => (await import('./demo.ts')).demoCommand,
  },
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
  'keys init': {
    summary: 'make the keyring of a side: two custodians',
    load: async () => (await import('./keys.ts')).keysInitCommand,
  },
  'keys list': {
    summary: 'the keys of a keyring, never their bytes',
    load: async () => (await import('./keys.ts')).keysListCommand,
  },
  'keys example': {
    summary: 'make the worthless example keyrings',
    load: async () => (await import('./keys.ts')).keysExampleCommand,
  },
  'ca init': {
    summary: 'make a certificate authority',
    load: async () => (await import('./ca.ts')).caInitCommand,
  },
  'ca server': {
    summary: 'make the certificate of the API',
    load: async () => (await import('./ca.ts')).caServerCommand,
  },
  'ca release': {
    summary: 'make the certificate under which releases are signed',
    load: async () => (await import('./ca.ts')).caReleaseCommand,
  },
  'ca sign': {
    summary: 'sign the request of an agency',
    load: async () => (await import('./ca.ts')).caSignCommand,
  },
  'agencies add': {
    summary: 'register an agency by its certificate',
    load: async () => (await import('./registrations.ts')).agenciesAddCommand,
  },
  'agency enroll': {
    summary: 'an agency makes its key and asks for a certificate',
    load: async () => (await import('./agency-keys.ts')).agencyEnrollCommand,
  },
  'agency ceremony': {
    summary: 'make the key of all agencies, and its canary table',
    load: async () => (await import('./agency-keys.ts')).agencyCeremonyCommand,
  },
  'agency recipe': {
    summary: 'ask the recipe of keys and the columns of the tables',
    load: async () => (await import('./agency-delivery.ts')).agencyRecipeCommand,
  },
  'agency canary': {
    summary: 'ask whether the keys of this agency come out right',
    load: async () => (await import('./agency-delivery.ts')).agencyCanaryCommand,
  },
  'agency prepare': {
    summary: 'turn the own files into a delivery, offline',
    load: async () => (await import('./agency-delivery.ts')).agencyPrepareCommand,
  },
  'agency submit': {
    summary: 'upload and submit a delivery; repeat after any break',
    load: async () => (await import('./agency-delivery.ts')).agencySubmitCommand,
  },
  'agency extraction': {
    summary: 'fetch which of the own serials were linked, before any table goes',
    load: async () => (await import('./agency-delivery.ts')).agencyExtractionCommand,
  },
  'agency tickets': {
    summary: 'what this agency is asked about pairs of its own serials',
    load: async () => (await import('./agency-tickets.ts')).agencyTicketsCommand,
  },
  'agency answer': {
    summary: 'answer a ticket: same, not-same or unknown of each case',
    load: async () => (await import('./agency-tickets.ts')).agencyAnswerCommand,
  },
  'agency doubt': {
    summary: 'say which links of its own serials this agency doubts',
    load: async () => (await import('./agency-tickets.ts')).agencyDoubtCommand,
  },
  'accounts add': {
    summary: 'register a person who may sign in, or replace password and roles',
    load: async () => (await import('./registrations.ts')).accountsAddCommand,
  },
  'audit export': {
    summary: 'take the trail out of the service, as an auditor',
    load: async () => (await import('./audit-export.ts')).auditExportCommand,
  },
  'audit verify': {
    summary: 'check an exported trail, offline',
    load: async () => (await import('./audit-verify.ts')).auditVerifyCommand,
  },
  'audit witness-key': {
    summary: 'make the key and the memory of a witness',
    load: async () => (await import('./audit-witness.ts')).auditWitnessKeyCommand,
  },
  'audit witness': {
    summary: 'cosign the checkpoints of the trail, as long as it only grows',
    load: async () => (await import('./audit-witness.ts')).auditWitnessCommand,
  },
  'release draft': {
    summary: 'print a policy to begin with, from a catalogue',
    load: async () => (await import('./release-draft.ts')).releaseDraftCommand,
  },
  'release verify': {
    summary: 'check a release package, offline',
    load: async () => (await import('./release-verify.ts')).releaseVerifyCommand,
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
