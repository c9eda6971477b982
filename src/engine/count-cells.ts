/** The cells of a table of counts, from the list of persons that a release is built with, and the parts of a cohort. */
import type { CountedCell } from '../core/count-table.ts'
import { type Policy, policyRefused } from '../core/policy.ts'
import type { CountTable } from '../core/policy-sections.ts'
import { diagnosisSql } from './measure-release.ts'
import { type KnownPersons, tableSql, valuesSql } from './person-values.ts'
import { quoteIdentifier, quoteText, type Session } from './session.ts'

export type CountCells = KnownPersons & {
  asked: CountTable
  diagnosisTime: NonNullable<Policy['diagnosisTime']>
  /** Place of the diagnosis among the quasi-identifiers, which suppression may have emptied; -1 if it is none. */
  diagnosisPlace: number
}

const cellsMax = 100_000

/**
 * Counts by the values that leave, after rules and suppression. A person is in one cell: of several rows of theirs all
 * values together count, or the least.
 *
 * @throws {Refusal} `policy-refused` for more than 100,000 combinations of values.
 */
export async function countCells(session: Session, of: CountCells): Promise<CountedCell[]> {
  const { rows, columns, count } = of.asked
  const tables = count === 'persons' ? [...new Set([rows.table, columns.table])] : []
  for (const [index, table] of tables.entries()) {
    // One after the other, so that each has the memory to itself.
    await session.run(`create temp table gyeol_counted_${index} as ${valuesOf(of, table)}`)
  }
  const sql = count === 'persons' ? personsSql(of, tables) : rowsSql(of)
  const cells = await session.rows<CountedCell>(`${sql} limit ${cellsMax + 1}`)
  for (const index of tables.keys()) await session.run(`drop table gyeol_counted_${index}`)
  if (cells.length > cellsMax)
    throw policyRefused({ fault: 'a table of too many values', cellsMax })
  return cells
}

/** Of each person, what a table says of the columns counted by. */
function valuesOf(of: CountCells, table: string): string {
  if (table === 'persons') return diagnosesSql(of)
  const { rows, columns } = of.asked
  const uses = [rows, columns].filter((use) => use.table === table)
  const names = uses.map(({ column }) => quoteIdentifier(`after ${column}`))
  return `select ${['ordinal', ...names].join(', ')} from (${tableSql(of, { table, uses, together: 'texts' })})`
}

function personsSql({ asked, persons }: CountCells, tables: readonly string[]): string {
  const joins = tables.map((_, at) => `left join gyeol_counted_${at} as t${at} using (ordinal)`)
  const [row, column] = [asked.rows, asked.columns].map(
    (use) => `t${tables.indexOf(use.table)}.${quoteIdentifier(`after ${use.column}`)}`,
  )
  return `select ${row} as "row", ${column} as "column", count(*) as count, count(*) as persons
    from read_parquet(${quoteText(persons)}) as list ${joins.join(' ')}
    group by all`
}

function diagnosesSql({ persons, diagnosisTime, diagnosisPlace }: CountCells): string {
  const shown = diagnosisSql(diagnosisTime)
  const value =
    diagnosisPlace < 0 ? shown : `(case when hidden & ${2 ** diagnosisPlace} = 0 then ${shown} end)`
  return `select ordinal, ${value} as "after diagnosis_month" from read_parquet(${quoteText(persons)})`
}

function rowsSql(of: CountCells): string {
  const { rows, columns } = of.asked
  const [row, column] = [rows, columns].map((use) => quoteIdentifier(`after ${use.column}`))
  return `select ${row} as "row", ${column} as "column", count(*) as count,
      count(distinct ordinal) as persons
    from (${valuesSql(of, rows.table, [rows.column, columns.column])})
    where "row leaves" group by all`
}
