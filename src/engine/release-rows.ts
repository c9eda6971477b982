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
import type { OnColumn } from './column-function.ts'
import { EngineError } from './engine-error.ts'
import { identifierInText, registrationNumberInNumber } from './identifier-shape.ts'
import { diskFull } from './part-source.ts'
import { lookupJoins, type RuleContext, releasedSql, scopeSql, writtenSql } from './rule-sql.ts'
import { sensitiveSql } from './sensitive-sql.ts'
import { quoteIdentifier, quoteText, type Session } from './session.ts'

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
const releaseParquet = `format parquet, compression zstd, compression_level 1,
  dictionary_size_limit 20000, string_dictionary_page_size_limit 1048576, row_group_size 122880`

const codeOfScope = 0
const codeOfSensitive = -1

/**
 * Builds the file or files of one part.
 *
 * @throws {Refusal} `identifier-in-payload` naming table, column and rows; `disk-full`.
 */
export async function releaseRows(session: Session, release: ReleaseRows): Promise<ReleasedRows> {
  const tally = new Map<number, number>()
  session.registerTally('left_out', tally)
  if (release.rekeyOf) session.registerColumnFunction('rekeyed', 32, release.rekeyOf)
  // A pseudonym is its place in the list until it is written: four bytes to put in order, not 27.
  await session.run(`
    create or replace temp type pseudonym as enum (
      select pseudonym from read_parquet(${quoteText(release.persons)}) order by rank
    )`)
  const [copied] = await session.rows<{ Count: number }>(copyOf(release)).catch(orDiskFull)
  const outsideScope = tally.get(codeOfScope) ?? 0
  const sensitive = tally.get(codeOfSensitive) ?? 0
  const found = [...tally].find(([code]) => code > 0)
  if (found !== undefined) {
    await rm(release.parquet, { force: true })
    throw new Refusal(
      'identifier-in-payload',
      'A column of the release holds what looks like an identifier. Drop the column or correct its rule.',
      {
        table: release.tableName,
        column: release.columns[found[0] - 1]?.name ?? '',
        rows: found[1],
      },
    )
  }
  const escapedCells = release.csv === undefined ? 0 : await writeCsv(session, release, release.csv)
  const rows = copied?.Count ?? 0
  const otherPersons = (await rowsOf(session, release.part)) - rows - outsideScope - sensitive
  return { rows, outsideScope, sensitive, otherPersons, escapedCells }
}

function copyOf(release: ReleaseRows): string {
  const { columns, part, persons, parquet } = release
  const names = columns.map(({ name }) => quoteIdentifier(name))
  const written = columns.map(
    (column) => `${writtenSql(column)} as ${quoteIdentifier(column.name)}`,
  )
  const rules = release.rules ?? { dates: 'relative' }
  const { isSensitive, shown } = sensitiveSql(release.table, release.sensitive ?? [])
  const values = columns.map(
    (column) =>
      `${shown(column.name, releasedSql(column, rules))} as ${quoteIdentifier(column.name)}`,
  )
  const scope = [`persons.rank as "#rank"`, `${scopeOf(release)} as "in scope"`]
  const classified = isSensitive === undefined ? [] : [`${isSensitive} as "is sensitive"`]
  // The tally stands in the select list: were it in the filter, the optimizer would move the filter below the rules and
  // compute them twice.
  return `
    copy (
      select ${['pseudonym::varchar as pseudonym', ...written].join(', ')}
      from (
        select *, case
          when not "in scope" then left_out(${codeOfScope})
          ${isSensitive === undefined ? '' : `when "is sensitive" then left_out(${codeOfSensitive})`}
          ${columns.map(identifierBranch).join('\n          ')}
          else true end as "may leave"
        from (
          select ${['persons.pseudonym', ...scope, ...classified, ...values].join(',\n            ')}
          from read_parquet(${quoteText(part)}) as part
          join (
            select * replace (pseudonym::pseudonym as pseudonym) from read_parquet(${quoteText(persons)})
          ) as persons on part.ordinal = persons.ordinal
          ${lookupJoins(columns)}
        )
      )
      where "may leave"
      order by "#rank"${names.length === 0 ? '' : `, hash(${names.join(', ')})`}
    ) to ${quoteText(parquet)} (${releaseParquet})`
}

function scopeOf({ where, table }: ReleaseRows): string {
  if (where === undefined) return 'true'
  const column = table.columns[where.column]
  if (column === undefined) throw new RangeError('a scope over a column that does not exist')
  return scopeSql(where, column.type)
}

/** Rules that give a text of our own making. */
const ownText: ReadonlySet<string> = new Set(['band', 'date', 'quantile', 'rekey'])

/** Not where intake has held the values against a closed list, nor in a text of our own. */
export function mayHoldIdentifier({ type, rule, column }: ReleasedColumn): boolean {
  return column.codes === undefined && type !== 'date' && !ownText.has(rule.rule)
}

function identifierBranch(released: ReleasedColumn, index: number): string {
  const { name, type, column } = released
  const value = quoteIdentifier(name)
  if (!mayHoldIdentifier(released)) return ''
  const test =
    type === 'string'
      ? identifierInText(value, column.type === 'code')
      : registrationNumberInNumber(value)
  return `when ${test} then left_out(${index + 1})`
}

/** From the Parquet file, so that both say the same; a formula is escaped here because only CSV is opened blindly. */
async function writeCsv(session: Session, release: ReleaseRows, csv: string): Promise<number> {
  const tally = new Map<number, number>()
  session.registerTally('escaped', tally)
  const beginnings = formulaBeginnings.map((character) => `chr(${character.charCodeAt(0)})`)
  const values = release.columns.map(({ name, type, rule }) => {
    const value = quoteIdentifier(name)
    if (type !== 'string' || ownText.has(rule.rule)) return value
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
