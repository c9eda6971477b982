/** The cells of a table of counts, from the list of persons that a release is built with, and the parts of a cohort. */
import type { CountedCell } from '../core/count-table.ts'
import { type Policy, policyRefused } from '../core/policy.ts'
import type { CountTable } from '../core/policy-sections.ts'
import { diagnosisSql, type KnownPersons, tableSql, valuesSql } from './measure-release.ts'
import { quoteIdentifier, quoteText, type Session } from './session.ts'

export type CountCells = KnownPersons & {
  asked: CountTable
  diagnosisTime: NonNullable<Policy['diagnosisTime']>
  /** Place of the diagnosis among the quasi-identifiers, which suppression may have emptied; -1 if it is none. */
  diagnosisPlace: number
}

const cellsMax = 100_000

/**
 * Counts by the values that leave, after rules and suppression. A person is in one cell: of several rows of theirs all values
 * together count, or the least.
 *
 * @throws {Refusal} `policy-refused` for more than 100,000 combinations of values.
 */
export async function countCells(session: Session, of: CountCells): Promise<CountedCell[]> {
  const sql = of.asked.count === 'persons' ? personsSql(of) : rowsSql(of)
  const cells = await session.rows<CountedCell>(`${sql} limit ${cellsMax + 1}`)
  if (cells.length > cellsMax)
    throw policyRefused({ fault: 'a table of too many values', cellsMax })
  return cells
}

function personsSql(of: CountCells): string {
  const { rows, columns } = of.asked
  const uses = [rows, columns]
  const tables = [...new Set(uses.map(({ table }) => table))]
  const known = tables.map((table, index) => {
    const used = uses.filter((use) => use.table === table)
    const sql = table === 'persons' ? diagnosesSql(of) : tableSql(of, { table, uses: used })
    return `left join (${sql}) as t${index} using (ordinal)`
  })
  const [row, column] = uses.map(
    (use) => `t${tables.indexOf(use.table)}.${quoteIdentifier(`after ${use.column}`)}`,
  )
  return `select ${row} as "row", ${column} as "column", count(*) as count, count(*) as persons
    from read_parquet(${quoteText(of.persons)}) as list ${known.join(' ')}
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
