/**
 * The rule of this file: the schema only moves forward, and a process refuses a database whose
 * schema is not exactly the one this release was written for. A migration that has run is never
 * edited; what ran is remembered by digest.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { Refusal } from '../core/errors.ts'
import type { Pool, Queryable } from './pool.ts'

/** One numbered file of `migrations/`. */
export type Migration = { number: number; name: string; text: string; sha256: string }

const migrationsDir = new URL('../../migrations/', import.meta.url)
/** Spells "gyeo": one migration at a time in a database. */
const advisoryLock = 0x6779656f

/** The migrations of this release, in order: `NNNN.do.<what>.sql`, numbered from 1 without gaps. */
export function migrationsOfRelease(directory: URL = migrationsDir): Migration[] {
  const names = readdirSync(directory).filter((name) => /^\d{4}\.do\.[a-z0-9-]+\.sql$/.test(name))
  return names.sort().map((name, index) => {
    const number = Number(name.slice(0, 4))
    if (number !== index + 1) throw new Error(`migrations are not numbered without gaps at ${name}`)
    const text = readFileSync(new URL(name, directory), 'utf8')
    return { number, name, text, sha256: createHash('sha256').update(text).digest('hex') }
  })
}

/**
 * Brings the database to this release's schema: each missing migration in a transaction of its own,
 * under a lock, as the owner of the tables.
 *
 * @param pool - connected as `gyeol_migrate`, after `provisionRoles`.
 * @returns the numbers that were applied; none when the schema was current.
 * @throws {Refusal} `schema-unknown` when the database knows a migration that this release does
 *   not, or another text.
 */
export async function migrate(
  pool: Pool,
  migrations: readonly Migration[] = migrationsOfRelease(),
): Promise<number[]> {
  const client = await pool.connect()
  try {
    await client.query('set role gyeol_owner; set statement_timeout = 0; set lock_timeout = 0')
    await client.query('select pg_advisory_lock($1::bigint)', [advisoryLock])
    const missing = await missingMigrations(client, migrations)
    for (const migration of missing) await apply(client, migration)
    return missing.map((migration) => migration.number)
  } finally {
    client.release(true) // Takes the role, the timeouts and the lock with it.
  }
}

/**
 * Checks at the start of a process that the database has exactly this release's schema.
 *
 * @throws {Refusal} `schema-unknown`.
 */
export async function requireSchema(
  database: Queryable,
  migrations: readonly Migration[] = migrationsOfRelease(),
): Promise<void> {
  const missing = await missingMigrations(database, migrations)
  if (missing.length > 0) {
    throw new Refusal(
      'schema-unknown',
      'The database is older than this release. Run `gyeol migrate` first.',
      { missing: missing.length },
    )
  }
}

async function apply(client: Queryable, migration: Migration): Promise<void> {
  await client.query('begin')
  try {
    await client.query(migration.text)
    await client.query(
      `insert into gyeol.schema_version (number, name, sha256) values ($1::integer, $2::text, decode($3::text, 'hex'))`,
      [migration.number, migration.name, migration.sha256],
    )
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {}) // The first error is the one to tell.
    throw error
  }
}

async function missingMigrations(
  database: Queryable,
  migrations: readonly Migration[],
): Promise<Migration[]> {
  const applied = await appliedMigrations(database)
  for (const [number, sha256] of applied) {
    if (migrations[number - 1]?.sha256 !== sha256) {
      throw new Refusal(
        'schema-unknown',
        'The database was made by another release. Start the release that made it, or a newer one.',
        { migration: number },
      )
    }
  }
  return migrations.filter((migration) => !applied.has(migration.number))
}

async function appliedMigrations(database: Queryable): Promise<Map<number, string>> {
  const table = await database.query<{ exists: boolean }>(
    `select to_regclass('gyeol.schema_version') is not null as exists`,
  )
  if (table.rows[0]?.exists !== true) return new Map()
  const found = await database.query<{ number: number; sha256: string }>(
    `select number, encode(sha256, 'hex') as sha256 from gyeol.schema_version order by number`,
  )
  return new Map(found.rows.map((row) => [row.number, row.sha256]))
}
