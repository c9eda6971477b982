/**
 * The tables of counts of a release: counted from the list of persons that it is built with, protected, and held against
 * every earlier table of the same dimensions in the project. Tables need no pseudonym to be subtracted from each other, so
 * the domain does not matter.
 */
import { randomInt } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Json } from '../core/canonical.ts'
import {
  countColumns,
  countCsvOf,
  countTableOf,
  linesOf,
  type ShownCell,
} from '../core/count-table.ts'
import { diagnosisTimeOf, policyRefused, policySchema, quasiIdentifierOf } from '../core/policy.ts'
import { dimensionsOf } from '../core/policy-kind.ts'
import type { CountTable } from '../core/policy-sections.ts'
import { tellingPlaces } from '../core/table-difference.ts'
import { countCells } from '../engine/count-cells.ts'
import { readCounts } from '../engine/read-counts.ts'
import type { Cuts } from '../engine/write-release-persons.ts'
import type { BegunRelease } from '../store/release-domains.ts'
import { findReleaseFile } from '../store/release-files.ts'
import { knownTables } from './known-tables.ts'
import type { Making } from './make-release-persons.ts'
import { sensitiveClassesOf } from './release-keys.ts'
import { openFile } from './sealed-files.ts'

/** A table in scratch, and what the disclosure report says of it. */
export type MadeCountTable = { name: string; path: string; rows: number; report: Json }

type Counting = { persons: string; cuts: Cuts; begun: readonly BegunRelease[] }

/**
 * Makes all tables that the policy asks for.
 *
 * @throws {Refusal} `policy-refused` naming the table, when it cannot be protected or an earlier one would tell by it.
 */
export async function makeCountTables(
  making: Making,
  counting: Counting,
): Promise<MadeCountTable[]> {
  const made: MadeCountTable[] = []
  for (const [name, asked] of Object.entries(making.policy.counts ?? {})) {
    made.push(await makeCountTable(making, counting, { name, asked }))
  }
  return made
}

async function makeCountTable(
  making: Making,
  { persons, cuts, begun }: Counting,
  { name, asked }: { name: string; asked: CountTable },
): Promise<MadeCountTable> {
  const { policy, session, run } = making
  const names = [asked.rows.table, asked.columns.table]
  const cells = await countCells(session, {
    persons,
    asked,
    tables: await knownTables(making, names, cuts),
    sensitive: sensitiveClassesOf(policy),
    diagnosisTime: diagnosisTimeOf(policy),
    diagnosisPlace: quasiIdentifierOf(policy, 'persons', 'diagnosis_month'),
  })
  const earlier = await earlierTables(making, begun, asked)
  const table = countTableOf(name, asked, cells, { earlier, draw })
  const lines = linesOf(table)
  const path = join(run.scratchDir, `counts-${name}.csv`)
  await writeFile(path, countCsvOf(asked, lines), { mode: 0o600 })
  const now = await readCounts(session, path)
  const telling = earlier.filter((cells) => tellingPlaces(cells, now, asked.threshold) > 0).length
  if (telling > 0) {
    const fault = 'differs from earlier tables by too few persons'
    throw policyRefused({ counts: name, fault, threshold: asked.threshold, tables: telling })
  }
  const { primary, complementary, pooled, rows, columns } = table
  const shape = { rows: rows.length, columns: columns.length, pooled }
  const report = {
    table: name,
    ...{ count: asked.count, threshold: asked.threshold, ...shape, primary, complementary },
    heldAgainst: earlier.length,
  }
  return { name: `tables/${name}.csv`, path, rows: lines.length, report }
}

/** From 0 up to 1, as nobody can foretell. */
function draw(): number {
  return randomInt(2 ** 32) / 2 ** 32
}

/** What earlier releases of the project showed of the same dimensions, the same way round. */
async function earlierTables(
  { deps, run, release, policy, session }: Making,
  begun: readonly BegunRelease[],
  asked: CountTable,
): Promise<ShownCell[][]> {
  const dimensions = dimensionsOf(policy, asked)
  const [first] = countColumns(asked)
  const tables: ShownCell[][] = []
  for (const { id, policy: document } of begun) {
    if (id === release.id) continue
    const other = policySchema.parse(document)
    for (const [name, table] of Object.entries(other.counts ?? {})) {
      if (dimensionsOf(other, table) !== dimensions) continue
      const file = await findReleaseFile(deps.pool, id, `tables/${name}.csv`)
      if (!file) throw new Error('a release that was begun has its tables')
      const path = join(run.scratchDir, 'earlier-counts.csv')
      const object = { id: file.objectId, projectId: run.job.projectId }
      await openFile(deps, { ...object, kind: 'release-file' }, path)
      const cells = await readCounts(session, path)
      tables.push(countColumns(table)[0] === first ? cells : cells.map(turned))
    }
  }
  return tables
}

function turned({ row, column, count }: ShownCell): ShownCell {
  return { row: column, column: row, count }
}
