/**
 * One cohort part becomes one file of a release: the columns that the policy lets leave, each by its rule, the pseudonym
 * for the ordinal, and rows in the order of pseudonyms. Rows of one person stand in an order of their content, so that
 * neither the delivery's order nor an internal number shows.
 *
 * Every text that leaves is held against the shapes of identifiers on its way; one hit and there is no file.
 */
import { rm } from 'node:fs/promises'
import type { CatalogueTable } from '../catalogue/schema.ts'
import type { SensitiveClass } from '../catalogue/sensitive.ts'
import { formulaBeginnings } from '../core/csv-cell.ts'
import { Refusal } from '../core/errors.ts'
import type { PolicyTable, ReleasedColumn } from '../core/policy.ts'
import type { PartUtility } from '../core/utility-report.ts'
import type { OnColumn } from './column-function.ts'
import { EngineError } from './engine-error.ts'
import { type FewValued, fewValuedColumns } from './few-values.ts'
import { identifierInText, registrationNumberInNumber } from './identifier-shape.ts'
import { type LeavingRows, leavingRows } from './leaving-rows.ts'
import { diskFull } from './part-source.ts'
import { lookupJoins, ownValue, type RuleContext, releasedSql, writtenSql } from './rule-sql.ts'
import { sensitiveSql } from './sensitive-sql.ts'
import { quoteIdentifier, quoteText, type Session } from './session.ts'
import { measureUtility } from './utility.ts'

export type ReleaseRows = {
  /** Cohort Parquet: ordinal INTEGER and the table's columns. */
  part: string
  /** The list of `releasePersons`. */
  persons: string
  tableName: string
  table: CatalogueTable
  /** From `releasedColumns` of the policy. */
  columns: readonly ReleasedColumn[]
  where?: PolicyTable['where']
  /** Default: relative dates, no cuts. */
  rules?: RuleContext
  /** Classes whose rows do not leave; of a cause of death the code does not. */
  sensitive?: readonly SensitiveClass[]
  /** Packed number and kind (n × 32 bytes) → numbers of this release (n × 16); needed by `rekey`. */
  rekeyOf?: OnColumn
  /** Parquet to write, zstd. */
  parquet: string
  /** CSV to write as well: UTF-8, LF, a header; texts that a spreadsheet would run are escaped. */
  csv?: string
}

/** What became of a part, what it lost by it, and its columns of few values, as long as the session is open. */
export type BuiltPart = {
  counts: ReleasedRows
  utility: PartUtility
  few: ReadonlyMap<string, FewValued>
}

export type ReleasedRows = {
  rows: number
  /** Rows of other years, left out. */
  outsideScope: number
  /** Rows of a sensitive class, left out. */
  sensitive: number
  /** Rows of persons who are not in the release. */
  otherPersons: number
  /** Texts that begin like a formula and got a leading apostrophe in the CSV file. */
  escapedCells: number
}

/**
 * Of files that leave: pages of version 1, which every reader has. Level 3 of zstd takes an eighth more time and is no
 * smaller on sorted rows. A dictionary has room for the pseudonyms of a row group, where rows of one person stand together,
 * and for the numbers of institutions: a quarter smaller with those.
 */
export const releaseParquet = `format parquet, compression zstd, compression_level 1,
  dictionary_size_limit 20000, string_dictionary_page_size_limit 1048576, row_group_size 122880`

/** A number that a registration number could be has thirteen digits. */
const registrationNumberMin = 1e12

/**
 * Builds the file or files of one part.
 *
 * @throws {Refusal} `identifier-in-payload` naming table, column and rows; `disk-full`.
 */
export async function releaseRows(session: Session, release: ReleaseRows): Promise<BuiltPart> {
  if (release.rekeyOf) session.registerColumnFunction('rekeyed', 32, release.rekeyOf)
  const leaving = await leavingRows(session, release)
  const few = await fewValuedColumns(session, release, leaving)
  for (const [column, { identifiers }] of few) refuseIf(identifiers, release, column)
  const tally = new Map<number, number>()
  session.registerTally('held_back', tally)
  const [copied] = await session
    .rows<{ Count: number }>(copyOf(release, { leaving, few }))
    .catch(orDiskFull)
  const [[index = 0, found = 0] = []] = tally
  if (found > 0) await rm(release.parquet, { force: true })
  refuseIf(found, release, release.columns[index]?.name ?? '')
  const escapedCells = release.csv === undefined ? 0 : await writeCsv(session, release, release.csv)
  const rows = copied?.Count ?? 0
  const { outsideScope, sensitive } = leaving
  const otherPersons = (await rowsOf(session, release.part)) - rows - outsideScope - sensitive
  const counts = { rows, outsideScope, sensitive, otherPersons, escapedCells }
  const utility = await measureUtility(session, { ...release, leaving, few, rows })
  return { counts, utility, few }
}

function refuseIf(rows: number, { tableName: table }: ReleaseRows, column: string): void {
  if (rows === 0) return
  throw new Refusal(
    'identifier-in-payload',
    'A column of the release holds what looks like an identifier. Drop the column or correct its rule.',
    { table, column, rows },
  )
}

function copyOf(
  release: ReleaseRows,
  { leaving, few }: { leaving: LeavingRows; few: ReadonlyMap<string, FewValued> },
): string {
  const { columns, table, sensitive, parquet } = release
  const rules = release.rules ?? { dates: 'relative' }
  const { shown } = sensitiveSql(table, sensitive ?? [])
  const others = columns.filter(({ name }) => !few.has(name))
  const released = columns.map((column) => {
    const name = quoteIdentifier(column.name)
    const listed = few.get(column.name)
    const value = listed?.value ?? shown(column.name, releasedSql(column, rules))
    const written = listed ? name : writtenSql(column, name)
    return { name, value: `${value} as ${name}`, written: `${written} as ${name}` }
  })
  const branches = others.flatMap((column) => identifierBranch(column, columns.indexOf(column)))
  // The tally stands in the select list: were it in the filter, the optimizer would move the filter below the rules and
  // compute them twice.
  return `
    copy (
      select ${['pseudonym', ...released.map(({ written }) => written)].join(', ')}
      from (
        select *, ${branches.length === 0 ? 'true' : `case ${branches.join('\n          ')} else true end`} as "may leave"
        from (
          select ${['persons.pseudonym', 'persons.rank as "#rank"', ...released.map(({ value }) => value)].join(',\n            ')}
          from ${leaving.from}
          ${[...few.values()].map(({ join }) => join).join('\n          ')}
          ${lookupJoins(others)}
          where ${leaving.leaves}
        )
      )
      where "may leave"
      order by "#rank"${columns.length === 0 ? '' : `, hash(${released.map(({ name }) => name).join(', ')})`}
    ) to ${quoteText(parquet)} (${releaseParquet})`
}

/** Not where intake has held the values against a closed list, if no policy writes others; nor in a text of our own. */
export function mayHoldIdentifier({ type, rule, column }: ReleasedColumn): boolean {
  const isOfPolicy = rule.rule === 'map' || rule.rule === 'hierarchy'
  const isClosed = column.codes !== undefined && !isOfPolicy
  return !isClosed && type !== 'date' && !ownValue.has(rule.rule)
}

function identifierBranch(released: ReleasedColumn, index: number): string[] {
  const { name, type, column, rule } = released
  const value = quoteIdentifier(name)
  const isTooSmall = rule.rule === 'keep' && (column.max ?? Infinity) < registrationNumberMin
  if (!mayHoldIdentifier(released) || isTooSmall) return []
  const test =
    type === 'string'
      ? identifierInText(value, column.type === 'code')
      : registrationNumberInNumber(value)
  return [`when ${test} then held_back(${index})`]
}

/** From the Parquet file, so that both say the same; a formula is escaped here because only CSV is opened blindly. */
async function writeCsv(session: Session, release: ReleaseRows, csv: string): Promise<number> {
  const tally = new Map<number, number>()
  session.registerTally('escaped', tally)
  const beginnings = formulaBeginnings.map((character) => `chr(${character.charCodeAt(0)})`)
  const values = release.columns.map(({ name, type, rule }) => {
    const value = quoteIdentifier(name)
    if (type !== 'string' || ownValue.has(rule.rule)) return value
    return `case when ${value} is null or left(${value}, 1) not in (${beginnings.join(', ')}) then ${value}
          when escaped(0) then null
          else '''' || ${value} end as ${value}`
  })
  await session
    .run(`
    copy (
      select ${['pseudonym', ...values].join(',\n        ')}
      from read_parquet(${quoteText(release.parquet)})
    ) to ${quoteText(csv)} (format csv, header true, delimiter ',', quote '"', escape '"', nullstr '')`)
    .catch(orDiskFull)
  return tally.get(0) ?? 0
}

async function rowsOf(session: Session, part: string): Promise<number> {
  const [counted] = await session.rows<{ rows: number }>(
    `select count(*) as rows from read_parquet(${quoteText(part)})`,
  )
  return counted?.rows ?? 0
}

function orDiskFull(error: unknown): never {
  throw error instanceof EngineError && error.kind === 'disk-full' ? diskFull() : error
}
