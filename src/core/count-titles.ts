import type { Catalogue } from '../catalogue/schema.ts'
import { diagnosisTimeOf, type Policy } from './policy.ts'
import type { CountTable } from './policy-sections.ts'

type Title = { en: string; ko: string }

/** The column of the table of persons, by how much of the time it shows. */
export const diagnosisTitles = {
  month: { en: 'Month of the first diagnosis', ko: '최초 진단 연월' },
  year: { en: 'Year of the first diagnosis', ko: '최초 진단 연도' },
} as const satisfies Record<string, Title>

const countTitles = {
  persons: { en: 'Persons', ko: '인원수' },
  rows: { en: 'Rows', ko: '행 수' },
} as const satisfies Record<CountTable['count'], Title>

/**
 * The titles of the columns of a table of counts: what stands in a row, in a column, and what is counted.
 *
 * @throws {RangeError} for a column that the catalogue does not have: a defect, for the policy was checked.
 */
export function titlesOfCounts(
  policy: Policy,
  catalogue: Catalogue,
  { rows, columns, count }: CountTable,
): [row: Title, column: Title, count: Title] {
  const titleOf = ({ table, column }: CountTable['rows']): Title => {
    const time = diagnosisTimeOf(policy)
    if (table === 'persons' && time !== 'none') return diagnosisTitles[time]
    const title = catalogue.tables[table]?.columns[column]?.title
    if (title === undefined) throw new RangeError('counted by a column that does not exist')
    return title
  }
  return [titleOf(rows), titleOf(columns), countTitles[count]]
}
