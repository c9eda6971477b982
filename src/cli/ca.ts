/** The commands of the certificate authority. They need no database and no network. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import {
  type Authority,
  makeAuthority,
  makeReleaseCertificate,
  makeServerCertificate,
  signAgencyRequest,
} from '../keys/certificate-authority.ts'
import type { Command, CommandContext } from './command.ts'
import { readNamedFile, writeNewFile } from './files.ts'
import { passphraseGiven, passphraseOptions } from './passphrase.ts'

const days = { days: { value: 'number', meaning: 'how long it is good' } }
const daysMax = 3_650

export const caInitCommand: Command = {
  usage: '--name <name> [options]',
  options: {
    name: { value: 'name', meaning: 'what the authority is called in its certificates' },
    ...days,
    ...passphraseOptions,
  },
  examples: ['gyeol ca init --name "National Cancer Data Centre" --passphrase-file ca.passphrase'],
  run: async (context) => {
    const { config, given, print } = context
    requireAbsent(join(config.tls, 'ca.pem'), join(config.tls, 'ca.key'))
    const made = await named(() =>
      makeAuthority(given.need('name'), validityOf(context), passphraseGiven(context)),
    )
    mkdirSync(config.tls, { recursive: true, mode: 0o700 })
    writeNewFile(join(config.tls, 'ca.key'), made.privateKeyPem, 0o600)
    writeNewFile(join(config.tls, 'ca.pem'), made.certificatePem)
    print(`made ca.key and ca.pem in ${config.tls}`)
    return 0
  },
}

export const caServerCommand: Command = {
  usage: '--hosts <a,b,…> [options]',
  options: {
    hosts: { value: 'a,b,…', meaning: 'names and addresses under which callers reach the API' },
    ...days,
    ...passphraseOptions,
  },
  examples: ['gyeol ca server --hosts gyeol.example.kr,10.1.2.3'],
  run: async (context) => {
    const { config, given, print } = context
    requireAbsent(join(config.tls, 'server.pem'), join(config.tls, 'server.key'))
    const hosts = given.need('hosts').split(',')
    const made = await named(() =>
      makeServerCertificate(authorityOf(context), hosts, validityOf(context)),
    )
    writeNewFile(join(config.tls, 'server.key'), made.privateKeyPem, 0o600)
    writeNewFile(join(config.tls, 'server.pem'), made.certificatePem)
    print(`made server.key and server.pem in ${config.tls}`)
    return 0
  },
}

export const caReleaseCommand: Command = {
  usage: '--name <name> [options]',
  options: {
    name: { value: 'name', meaning: 'who signs the releases, as readers see it' },
    ...days,
    ...passphraseOptions,
  },
  examples: ['gyeol ca release --name "National Cancer Data Centre, releases"'],
  run: async (context) => {
    const { config, given, print } = context
    requireAbsent(join(config.tls, 'release.pem'), join(config.tls, 'release.key'))
    const name = given.need('name')
    const made = await named(() =>
      makeReleaseCertificate(authorityOf(context), name, validityOf(context)),
    )
    writeNewFile(join(config.tls, 'release.key'), made.privateKeyPem, 0o600)
    writeNewFile(join(config.tls, 'release.pem'), made.certificatePem)
    print(`made release.key and release.pem in ${config.tls}`)
    return 0
  },
}

export const caSignCommand: Command = {
  usage: '<request> --agency <name> --out <file> [options]',
  positionals: { least: 1, most: 1 },
  options: {
    agency: { value: 'name', meaning: 'the agency as it is registered' },
    out: { value: 'file', meaning: 'where the certificate goes' },
    ...days,
    ...passphraseOptions,
  },
  examples: ['gyeol ca sign nhis.csr --agency nhis --out nhis.pem'],
  run: async (context) => {
    const { given, print } = context
    const requestPem = readNamedFile(given.positionals[0] ?? '')
    const request = { agency: given.need('agency'), requestPem }
    const out = given.need('out')
    const pem = await named(async () =>
      signAgencyRequest(authorityOf(context), request, validityOf(context)),
    )
    writeNewFile(out, pem)
    print(`signed ${out}`)
    return 0
  },
}

function authorityOf(context: CommandContext): Authority {
  const { tls } = context.config
  if (!existsSync(join(tls, 'ca.key'))) {
    throw new Refusal(
      'not-found',
      'There is no authority here. Make one with `gyeol ca init`, or set GYEOL_TLS to where it is.',
    )
  }
  return {
    certificatePem: readNamedFile(join(tls, 'ca.pem')),
    privateKeyPem: readNamedFile(join(tls, 'ca.key')),
    passphrase: passphraseGiven(context),
  }
}

function validityOf({ given }: CommandContext): { now: Date; days?: number } {
  const wanted = given.whole('days', 1, daysMax)
  return { now: new Date(), ...(wanted === undefined ? {} : { days: wanted }) }
}

function requireAbsent(...paths: string[]): void {
  if (!paths.some((path) => existsSync(path))) return
  throw new Refusal(
    'already-exists',
    'There are such files already and they are not replaced. Move them away, or set GYEOL_TLS.',
  )
}

/**
 * Calls what takes a wrong name for a defect of its caller; here the caller is a person. @throws
 * {Refusal} `option-unknown`.
 */
export async function named<T>(make: () => Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new Refusal(
      'option-unknown',
      'A name or host is not one a certificate can have: ASCII, an agency in lower case, no blank in a host.',
      {},
      { cause },
    )
  }
}
