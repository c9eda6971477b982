/**
 * The database of a service that starts whole: the embedded one, or one elsewhere that gets its
 * roles from here.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { prepareQueue } from '../queue/prepare-queue.ts'
import { startEmbeddedDatabase } from '../store/embedded.ts'
import { migrate } from '../store/migrate.ts'
import { createPool } from '../store/pool.ts'
import { type LoginRole, loginRoles, provisionRoles } from '../store/roles.ts'
import type { Config } from './config.ts'
import { keptRolePasswords, type RoleUrls, rolePasswordsFile } from './role-urls.ts'

/** A database with roles, schema and queue. */
export type ReadyDatabase = {
  urls: RoleUrls
  /**
   * Resolves when the embedded server ends; never for one elsewhere, whose end is an outage like
   * any other.
   */
  ended: Promise<void>
  stop: () => Promise<void>
}

/** Starts or reaches the database and brings it to this release's schema. */
export async function openDatabase(config: Config): Promise<ReadyDatabase> {
  const { databaseUrl, home } = config
  const database =
    databaseUrl === undefined
      ? await startEmbeddedDatabase({ home })
      : { urls: await provisionElsewhere(databaseUrl, home), ...endless }
  try {
    await bringUp(database.urls.gyeol_migrate)
    return database
  } catch (error) {
    await database.stop()
    throw error
  }
}

/**
 * Brings a database to this release's schema, queue included. @returns the migrations that were
 * applied.
 */
export async function bringUp(migrateUrl: string): Promise<number[]> {
  const pool = createPool({ connectionString: migrateUrl, max: 1, name: 'gyeol migrate' })
  try {
    const applied = await migrate(pool)
    await prepareQueue(migrateUrl)
    return applied
  } finally {
    await pool.end()
  }
}

/**
 * Makes the roles on a server elsewhere, with passwords that the home keeps, readable by its owner
 * alone.
 *
 * @param adminUrl - a superuser, or a role with CREATEROLE that owns the database.
 */
export async function provisionElsewhere(adminUrl: string, home: string): Promise<RoleUrls> {
  const passwords = keptRolePasswords(home) ?? newPasswords(home)
  await provisionRoles(adminUrl, passwords)
  const urlOf = (role: LoginRole): string => {
    const url = new URL(adminUrl)
    url.username = role
    url.password = passwords[role]
    return url.href
  }
  return {
    admin: adminUrl,
    gyeol_migrate: urlOf('gyeol_migrate'),
    gyeol_api: urlOf('gyeol_api'),
    gyeol_key: urlOf('gyeol_key'),
    gyeol_data: urlOf('gyeol_data'),
    gyeol_sign: urlOf('gyeol_sign'),
    gyeol_auditor: urlOf('gyeol_auditor'),
  }
}

const endless = { ended: new Promise<void>(() => {}), stop: async () => {} }

function newPasswords(home: string): Record<LoginRole, string> {
  const passwords = Object.fromEntries(
    loginRoles.map((role) => [role, randomBytes(24).toString('base64url')]),
  ) as Record<LoginRole, string>
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const text = `${JSON.stringify({ passwords }, null, 2)}\n`
  writeFileSync(rolePasswordsFile(home), text, { mode: 0o600, flush: true })
  return passwords
}
