import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'tap'
import {
  type Migration,
  migrate,
  migrationsOfRelease,
  requireSchema,
} from '../../src/store/migrate.ts'
import { startTestDatabase } from '../support/database.ts'

const unknown = { name: 'Refusal', code: 'schema-unknown' }

test('migrations', async (t) => {
  const database = await startTestDatabase(t)
  const pool = database.pool('gyeol_migrate', 3)
  const api = database.pool('gyeol_api', 1)
  const release = migrationsOfRelease()
  const made = (number: number, text: string): Migration => ({
    number,
    name: `${number}.do.test.sql`,
    text,
    sha256: String(number).padStart(64, '0'),
  })
  const next = release.length + 1

  t.test('do nothing to a current database, for which every process starts', async (t) => {
    t.same(await migrate(pool), [])
    await requireSchema(api)
    for (const role of ['gyeol_key', 'gyeol_data', 'gyeol_sign', 'gyeol_auditor'] as const) {
      await requireSchema(database.pool(role, 1))
    }
  })

  t.test('undo one that fails, whole', async (t) => {
    const failing = made(next, 'create table gyeol.half (id integer); select 1 / 0')
    await t.rejects(migrate(pool, [...release, failing]), { code: '22012' })
    const found = await api.query(`select to_regclass('gyeol.half') as half`)
    t.same(found.rows, [{ half: null }])
    await requireSchema(api)
  })

  t.test('run once when many start them at once', async (t) => {
    const later = [...release, made(next, 'create table gyeol.later (id integer)')]
    const ran = await Promise.all([
      migrate(pool, later),
      migrate(pool, later),
      migrate(pool, later),
    ])
    t.same(ran.flat(), [next])
    const owner = await api.query(
      `select tableowner as owner from pg_tables where tablename = 'later'`,
    )
    t.same(owner.rows, [{ owner: 'gyeol_owner' }])
    await t.rejects(
      requireSchema(api, [...later, made(next + 1, '')]),
      unknown,
      'older than the release',
    )
  })

  t.test('refuse a database that a newer release made, or another text', async (t) => {
    await t.rejects(requireSchema(api, release), unknown)
    await t.rejects(migrate(pool, release), unknown)
    const [first, ...others] = release
    if (first === undefined) throw new Error('no migrations')
    const edited = [{ ...first, sha256: 'f'.repeat(64) }, ...others, made(next, '')]
    await t.rejects(requireSchema(api, edited), { ...unknown, details: { migration: 1 } })
  })

  t.test('are numbered from 1 without gaps', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'gyeol-migrations-'))
    t.teardown(() => rmSync(directory, { recursive: true }))
    writeFileSync(join(directory, '0001.do.first.sql'), '')
    writeFileSync(join(directory, 'schema.sql'), '')
    t.match(migrationsOfRelease(pathToFileURL(`${directory}/`)), [{ number: 1 }])
    writeFileSync(join(directory, '0003.do.third.sql'), '')
    t.throws(() => migrationsOfRelease(pathToFileURL(`${directory}/`)), /without gaps/)
  })
})
