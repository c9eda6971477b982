import type { Policy } from '../core/policy.ts'
import { diagnosisSql } from './measure-release.ts'
import { releaseParquet } from './release-rows.ts'
import { quoteText, type Session } from './session.ts'

/** What the table is made of. */
export type PersonTable = {
  /** The list of persons. */
  persons: string
  time: NonNullable<Policy['diagnosisTime']>
  /** Its place among the quasi-identifiers: suppression may have emptied its cells. */
  quasiIdentifier?: number
  parquet: string
  csv?: string
}

/**
 * Writes the table of persons of a release, in the order of pseudonyms: pseudonym VARCHAR and, unless the policy shows
 * nothing of it, diagnosis_month VARCHAR (`YYYY-MM` or `YYYY`, NULL where no diagnosis is known or shown).
 *
 * @returns the number of persons.
 */
export async function writePersonTable(session: Session, of: PersonTable): Promise<number> {
  const shown = diagnosisSql(of.time)
  const value =
    of.quasiIdentifier === undefined
      ? shown
      : `(case when hidden & ${2 ** of.quasiIdentifier} = 0 then ${shown} end)`
  const columns = of.time === 'none' ? 'pseudonym' : `pseudonym, ${value} as diagnosis_month`
  const query = `select ${columns} from read_parquet(${quoteText(of.persons)}) order by rank`
  const [copied] = await session.rows<{ Count: number }>(
    `copy (${query}) to ${quoteText(of.parquet)} (${releaseParquet})`,
  )
  if (of.csv !== undefined) {
    await session.run(`copy (${query}) to ${quoteText(of.csv)} (format csv, header true)`)
  }
  return copied?.Count ?? 0
}
