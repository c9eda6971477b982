/**
 * What earlier releases of a project showed in tables of counts, and how each of their tables hangs together with a new one.
 * Tables need no pseudonym to be subtracted from each other, so the domain does not matter.
 */
import { join } from 'node:path'
import { labelOf, type ShownCell } from '../core/count-table.ts'
import { type Shared, type SharedSide, sharedSideOf } from '../core/linked-tables.ts'
import { diagnosisTimeOf, own, type Policy, policySchema } from '../core/policy.ts'
import { dimensionOf, dimensionsOf } from '../core/policy-kind.ts'
import type { CountTable } from '../core/policy-sections.ts'
import { type Labelled, labelPairs } from '../engine/label-pairs.ts'
import { readCounts } from '../engine/read-counts.ts'
import { findReleaseFile } from '../store/release-files.ts'
import { knownTables } from './known-tables.ts'
import type { Counting } from './make-count-tables.ts'
import type { Making } from './make-release-persons.ts'
import { sensitiveClassesOf } from './release-keys.ts'
import { openFile } from './sealed-files.ts'

/** An earlier table, the same way round as the new one. `all`: it is of the same dimensions. */
export type EarlierTable = { cells: ShownCell[]; shared: Shared | 'all' }

/** Every earlier table of the project that counts the same as this one: persons, or the rows of a table. */
export async function earlierTables(
  making: Making,
  counting: Counting,
  asked: CountTable,
): Promise<EarlierTable[]> {
  const tables: EarlierTable[] = []
  for (const { id, policy: document } of counting.begun) {
    if (id === making.release.id) continue
    const policy = policySchema.parse(document)
    for (const [name, table] of Object.entries(policy.counts ?? {})) {
      if (!countsTheSame(table, asked)) continue
      const cells = await shownBefore(making, id, name)
      const isTurned =
        refOf(table.rows) === refOf(asked.columns) || refOf(table.columns) === refOf(asked.rows)
      const turnedTable = isTurned ? { ...table, rows: table.columns, columns: table.rows } : table
      const shared = await sharedOf(making, counting, { asked, policy, table: turnedTable })
      tables.push({ cells: isTurned ? cells.map(turned) : cells, shared })
    }
  }
  return tables
}

function countsTheSame(table: CountTable, asked: CountTable): boolean {
  return (
    table.count === asked.count &&
    (table.count === 'persons' || table.rows.table === asked.rows.table)
  )
}

async function shownBefore(
  { deps, run, session }: Making,
  release: string,
  name: string,
): Promise<ShownCell[]> {
  const file = await findReleaseFile(deps.pool, release, `tables/${name}.csv`)
  if (!file) throw new Error('a release that was begun has its tables')
  const path = join(run.scratchDir, 'earlier-counts.csv')
  const object = { id: file.objectId, projectId: run.job.projectId }
  await openFile(deps, { ...object, kind: 'release-file' }, path)
  return await readCounts(session, path)
}

function turned({ row, column, count }: ShownCell): ShownCell {
  return { row: column, column: row, count }
}

function refOf({ table, column, take }: CountTable['rows']): string {
  return JSON.stringify([table, column, take])
}

type Compared = { asked: CountTable; policy: Policy; table: CountTable }

async function sharedOf(
  making: Making,
  counting: Counting,
  { asked, policy, table }: Compared,
): Promise<Shared | 'all'> {
  if (dimensionsOf(policy, table) === dimensionsOf(making.policy, asked)) return 'all'
  const sideOf = (side: 'rows' | 'columns') =>
    sharedSide(making, counting, {
      policy,
      count: asked.count,
      now: asked[side],
      earlier: table[side],
    })
  return { row: await sideOf('rows'), column: await sideOf('columns') }
}

type Side = {
  policy: Policy
  count: CountTable['count']
  now: CountTable['rows']
  earlier: CountTable['rows']
}

async function sharedSide(
  making: Making,
  counting: Counting,
  of: Side,
): Promise<SharedSide | undefined> {
  const { policy, count, now: use } = of
  if (refOf(use) !== refOf(of.earlier)) return undefined
  const dimension = dimensionOf(policy, use)
  if (dimension === dimensionOf(making.policy, use)) return { earlier: 'same', now: 'same' }
  const table = own(policy.tables, use.table)
  if (own(table?.columns ?? {}, use.column)?.rule === 'quantile') return undefined // Its groups were of the values of then.
  // Releases of a project are often of one policy, and the parts are read for every answer.
  const { sensitive } = policy
  const key = JSON.stringify([count, dimension, table?.where, sensitive])
  if (!counting.sides.has(key)) counting.sides.set(key, await sideOfParts(making, counting, of))
  return counting.sides.get(key)
}

async function sideOfParts(
  making: Making,
  { persons, cuts }: Counting,
  { policy, count, now: use }: Side,
): Promise<SharedSide | undefined> {
  const under = async (policy: Policy): Promise<Labelled> => ({
    persons,
    tables: await knownTables({ ...making, policy }, [use.table], cuts),
    sensitive: sensitiveClassesOf(policy),
    diagnosisTime: diagnosisTimeOf(policy),
  })
  const both = { earlier: await under(policy), now: await under(making.policy) }
  const pairs = await labelPairs(making.session, { use, count }, both)
  if (!pairs) return undefined
  const missing = { earlier: null, now: null } // Of whoever has no row in the table.
  const labels = [...pairs, missing].map(({ earlier, now }) => ({
    earlier: labelOf(earlier),
    now: labelOf(now),
  }))
  return sharedSideOf(labels)
}
