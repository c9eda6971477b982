/** The commands that register who may call: people and agencies. */
import { userInfo } from 'node:os'
import { registerAccount } from '../actions/register-account.ts'
import { registerAgency } from '../actions/register-agency.ts'
import { Refusal } from '../core/errors.ts'
import { type Role, roles } from '../core/grants.ts'
import { requireSchema } from '../store/migrate.ts'
import { createPool, type Pool } from '../store/pool.ts'
import type { Command } from './command.ts'
import type { Config } from './config.ts'
import { readNamedFile } from './files.ts'
import { readSecretFile } from './passphrase.ts'
import { databaseUrlOf } from './role-urls.ts'

export const accountsAddCommand: Command = {
  usage: '--name <name> --roles <a,b,…> --password-file <file>',
  options: {
    name: { value: 'name', meaning: 'lower-case; the name to sign in with' },
    roles: { value: 'a,b,…', meaning: `of ${roles.join(', ')}` },
    'password-file': { value: 'file', meaning: 'file with the password, mode 0600' },
  },
  examples: ['gyeol accounts add --name kim --roles operator --password-file kim.password'],
  run: async ({ config, given, print }) => {
    const name = given.need('name')
    const wanted = given.need('roles').split(',').map(roleOf)
    const password = Buffer.from(readSecretFile(given.need('password-file'))).toString('utf8')
    const isNew = await withPool(config, (pool) =>
      registerAccount(pool, { name, roles: wanted, password }, operatorName()),
    )
    print(
      isNew
        ? `registered ${name}`
        : `${name} has another password and roles; open sessions are ended`,
    )
    return 0
  },
}

export const agenciesAddCommand: Command = {
  usage: '--name <name> --certificate <file> --title-en <title> --title-ko <title>',
  options: {
    name: { value: 'name', meaning: 'lower-case; as catalogues name it' },
    certificate: { value: 'file', meaning: 'its client certificate, PEM' },
    'title-en': { value: 'title', meaning: 'its title in English' },
    'title-ko': { value: 'title', meaning: 'its title in Korean' },
  },
  examples: [
    'gyeol agencies add --name nhis --certificate nhis.pem --title-en "Health insurer" --title-ko 국민건강보험공단',
  ],
  run: async ({ config, given, print }) => {
    const name = given.need('name')
    const certificatePem = readNamedFile(given.need('certificate'))
    const title = { en: given.need('title-en'), ko: given.need('title-ko') }
    await withPool(config, (pool) =>
      registerAgency(pool, { name, title, certificatePem }, operatorName()),
    )
    print(`registered ${name}`)
    return 0
  },
}

async function withPool<T>(config: Config, act: (pool: Pool) => Promise<T>): Promise<T> {
  const connectionString = databaseUrlOf(config, 'api')
  const pool = createPool({ connectionString, max: 1, name: 'gyeol command' })
  try {
    await requireSchema(pool)
    return await act(pool)
  } finally {
    await pool.end()
  }
}

function roleOf(name: string): Role {
  const role = roles.find((known) => known === name)
  if (role !== undefined) return role
  throw new Refusal('option-unknown', 'One of the roles is not known. The help names all.')
}

/** Who runs the command, as the machine knows them. */
function operatorName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}` // A container's user may have no name.
  }
}
