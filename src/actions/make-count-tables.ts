/**
 * The tables of counts of a release: counted from the list of persons that it is built with, protected, and held against
 * every earlier table of the project (`earlier-tables.ts`).
 */
import { randomInt } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Json } from '../core/canonical.ts'
import { countCsvOf, countTableOf, linesOf } from '../core/count-table.ts'
import { linkedPlaces, type SharedSide } from '../core/linked-tables.ts'
import { diagnosisTimeOf, policyRefused, quasiIdentifierOf } from '../core/policy.ts'
import type { CountTable } from '../core/policy-sections.ts'
import { tellingPlaces } from '../core/table-difference.ts'
import { countCells } from '../engine/count-cells.ts'
import { readCounts } from '../engine/read-counts.ts'
import type { Cuts } from '../engine/write-release-persons.ts'
import type { BegunRelease } from '../store/release-domains.ts'
import { earlierTables } from './earlier-tables.ts'
import { knownTables } from './known-tables.ts'
import type { Making } from './make-release-persons.ts'
import { sensitiveClassesOf } from './release-keys.ts'

/** A table in scratch, and what the disclosure report says of it. */
export type MadeCountTable = { name: string; path: string; rows: number; report: Json }

/** With what tables are counted. */
export type Counting = {
  persons: string
  cuts: Cuts
  begun: readonly BegunRelease[]
  /** How sides of earlier tables hang together with those of this release, as far as it was asked. */
  sides: Map<string, SharedSide | undefined>
}

/**
 * Makes all tables that the policy asks for.
 *
 * @throws {Refusal} `policy-refused` naming the table, when it cannot be protected or an earlier one would tell by it.
 */
export async function makeCountTables(
  making: Making,
  from: Omit<Counting, 'sides'>,
): Promise<MadeCountTable[]> {
  const counting = { ...from, sides: new Map() }
  const made: MadeCountTable[] = []
  for (const [name, asked] of Object.entries(making.policy.counts ?? {})) {
    made.push(await makeCountTable(making, counting, { name, asked }))
  }
  return made
}

async function makeCountTable(
  making: Making,
  counting: Counting,
  { name, asked }: { name: string; asked: CountTable },
): Promise<MadeCountTable> {
  const { policy, session, run } = making
  const { persons, cuts } = counting
  const names = [asked.rows.table, asked.columns.table]
  const cells = await countCells(session, {
    persons,
    asked,
    tables: await knownTables(making, names, cuts),
    sensitive: sensitiveClassesOf(policy),
    diagnosisTime: diagnosisTimeOf(policy),
    diagnosisPlace: quasiIdentifierOf(policy, 'persons', 'diagnosis_month'),
  })
  const earlier = await earlierTables(making, counting, asked)
  const same = earlier.flatMap(({ cells, shared }) => (shared === 'all' ? [cells] : []))
  const table = countTableOf(name, asked, cells, { earlier: same, draw })
  const lines = linesOf(table)
  const path = join(run.scratchDir, `counts-${name}.csv`)
  await writeFile(path, countCsvOf(asked, lines), { mode: 0o600 })
  const now = await readCounts(session, path)
  const { threshold } = asked
  const telling = earlier.filter(({ cells, shared }) =>
    shared === 'all'
      ? tellingPlaces(cells, now, threshold) > 0
      : linkedPlaces(cells, now, { shared, threshold }) > 0,
  ).length
  if (telling > 0) {
    const fault = 'differs from earlier tables by too few persons'
    throw policyRefused({ counts: name, fault, threshold, tables: telling })
  }
  const { primary, complementary, pooled, rows, columns } = table
  const shape = { rows: rows.length, columns: columns.length, pooled }
  const report = {
    table: name,
    ...{ count: asked.count, threshold, ...shape, primary, complementary },
    heldAgainst: earlier.length,
  }
  return { name: `tables/${name}.csv`, path, rows: lines.length, report }
}

/** From 0 up to 1, as nobody can foretell. */
function draw(): number {
  return randomInt(2 ** 32) / 2 ** 32
}
