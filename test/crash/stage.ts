/** What the crash tests play on: real processes, a project of two agencies, and parts that take a worker a moment. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { liveObjects } from '../../src/store/objects.ts'
import { openVault } from '../../src/vault/vault.ts'
import { startTestRoles, type TestRoles } from '../support/all-roles.ts'
import type { ApiClient } from '../support/api-client.ts'
import { csvPart, openTestProject, type TestPart, testKey } from '../support/exchange.ts'
import { until } from '../support/until.ts'

export type Stage = TestRoles & {
  operator: ApiClient
  spine: ApiClient
  other: ApiClient
}

const code = { type: 'code', lengthMax: 40, title: { en: 'Code', ko: '코드' } }
const tableOf = (agency: string): object => ({
  agency,
  title: { en: 'Visits', ko: '방문' },
  columns: { code, day: { type: 'date', title: { en: 'Day', ko: '날' } } },
})

/** Starts it all; ends with the test. */
export async function startStage(t: Test, more: Record<string, string> = {}): Promise<Stage> {
  const roles = await startTestRoles(t, more)
  const operator = await roles.person('one', ['operator', 'custodian'])
  const two = await roles.person('two', ['custodian'])
  const spine = await roles.agency('spine')
  const other = await roles.agency('other')
  await openTestProject([operator, two], {
    name: 'crash',
    recipe: { version: 'gyeol-1', fields: { number: 'identifier' }, keyTypes: { K1: ['number'] } },
    catalogue: {
      name: 'crash',
      version: '1',
      tables: { cases: tableOf('spine'), visits: tableOf('other') },
    },
    agencies: [
      { agency: 'spine', isSpine: true, keyTypes: ['K1'] },
      { agency: 'other', keyTypes: ['K1'] },
    ],
  })
  return { ...roles, operator, spine, other }
}

/** Parts of keys and of a table for the same persons, a number of rows each. */
export function partsFor(table: string, parts: number, rows: number): TestPart[] {
  return Array.from({ length: parts }, (_, index) => {
    const ids = Array.from({ length: rows }, (_, row) => `${index}.${row}`)
    const keys = ids.map((id) => `${table}-${id},${testKey(id)}`)
    const visits = ids.map((id) => `${table}-${id},C${id},2020-02-29`)
    return [
      csvPart('', index + 1, ['serial,K1', ...keys]),
      csvPart(table, index + 1, ['serial,code,day', ...visits]),
    ]
  }).flat()
}

/** Waits until a job like this runs; its id. */
export async function untilRunning({ admin }: Stage, kinds: readonly string[]): Promise<string> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(2)) {
    const found = await admin.query<{ job_id: string }>(
      "select job_id from gyeol.job where state = 'running' and kind = any($1::text[]) limit 1",
      [kinds],
    )
    const job = found.rows[0]?.job_id
    if (job) return job
  }
  throw new Error('no such job ran')
}

/** Claims and worker's leaves of a job kind: what was done twice would show here. */
export async function doneOnce(
  t: Test,
  { admin }: Stage,
  kinds: readonly string[],
): Promise<{ jobs: number; attempts: number }> {
  const jobs = await admin.query<{ jobs: number; attempts: number; done: number }>(
    `select count(*) as jobs, sum(attempts) as attempts, count(*) filter (where state = 'done') as done
     from gyeol.job where kind = any($1::text[])`,
    [kinds],
  )
  const leaves = await admin.query<{ leaves: number; objects: number }>(
    `select count(*) as leaves, count(distinct object) as objects
     from gyeol.audit_leaf where actor like 'worker%' and action = any($1::text[])`,
    [kinds],
  )
  const { jobs: count = 0, attempts = 0, done } = jobs.rows[0] ?? {}
  t.equal(Number(done), Number(count), 'every job is done')
  t.match(leaves.rows[0], { leaves: Number(count), objects: Number(count) }, 'one leaf each')
  return { jobs: Number(count), attempts: Number(attempts) }
}

/** The vault holds what the database names, all of it and, after a sweep, nothing else; scratch holds nothing. */
export async function isTidy(t: Test, { admin, config }: Stage): Promise<void> {
  await untilIdle(admin)
  const directory = join(config.home, 'vault')
  const vault = await openVault(directory)
  const now = new Date(Date.now() + 60_000)
  await vault.sweep((ids) => liveObjects(admin, ids), { olderThanMs: 0, now })
  const named = await admin.query<{ id: string }>(
    'select object_id as id from gyeol.vault_object where destroyed_at is null order by 1',
  )
  t.same(
    filesIn(directory).sort(),
    named.rows.map(({ id }) => id),
    'the vault is what the database names',
  )
  // A job has ended when its row says so; its scratch goes a moment later.
  const scratch = config.scratch ?? ''
  await until(() => filesIn(scratch).length === 0, 'nothing lies in scratch')
}

/** Waits for the jobs that nothing waits for: a cohort's quality is counted after its assembly. */
async function untilIdle(admin: Stage['admin']): Promise<void> {
  await until(async () => {
    const found = await admin.query(
      "select from gyeol.job where state in ('queued', 'running', 'waiting') limit 1",
    )
    return found.rowCount === 0
  }, 'every job has ended')
}

function filesIn(directory: string): string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
}
