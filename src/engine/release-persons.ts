/**
 * The persons of a release: who they are called in it, in which order they stand, and from which day their dates count.
 * The file stays on the data side; of it only the pseudonym, and from the anchor only its month, ever leave.
 */
import { textOf } from '../core/base32.ts'
import type { OnColumn } from './column-function.ts'
import { quoteIdentifier, quoteText, type Session } from './session.ts'
import { parquetOptions } from './take-table.ts'

export type ReleasePersons = {
  /** Parquet of a linkage: ordinal INTEGER, person UUID. */
  persons: string
  /** Cohort parts with a date of diagnosis each, and that column's name; none: no person has an anchor. */
  diagnoses: readonly { file: string; column: string }[]
  /** Person numbers (n × 16 bytes) → pseudonyms of the release's domain (n × 16 bytes). */
  pseudonymsOf: OnColumn
  /**
   * Parquet to write, in order of the pseudonym: ordinal INTEGER, pseudonym VARCHAR of 27 characters, rank INTEGER from 0
   * (the order of pseudonyms), anchor DATE (first diagnosis) and anchor_month VARCHAR, NULL where there is none.
   */
  output: string
}

/** Makes the list. */
export async function releasePersons(
  session: Session,
  release: ReleasePersons,
): Promise<{ persons: number; withAnchor: number }> {
  session.registerColumnFunction('pseudonym_of', 16, release.pseudonymsOf)
  session.registerTextFunction('text_of', textOf)
  const dates = release.diagnoses.map(
    ({ file, column }) =>
      `select ordinal, ${quoteIdentifier(column)}::date as date from read_parquet(${quoteText(file)})`,
  )
  await session.run(`
    create temp table anchor as
    select ordinal, min(date) as anchor
    from (${dates.join(' union all ') || 'select null::integer as ordinal, null::date as date'})
    where date is not null and ordinal is not null
    group by ordinal`)
  await session.run(`
    copy (
      select ordinal, text_of(pseudonym) as pseudonym,
        (row_number() over (order by pseudonym) - 1)::integer as rank,
        anchor, strftime(anchor, '%Y-%m') as anchor_month
      from (select ordinal, pseudonym_of(person) as pseudonym from read_parquet(${quoteText(release.persons)}))
      left join anchor using (ordinal)
      order by rank
    ) to ${quoteText(release.output)} (${parquetOptions})`)
  await session.run('drop table anchor')
  const [count] = await session.rows<{ persons: number; anchors: number; distinct_names: number }>(`
    select count(*) as persons, count(anchor) as anchors, count(distinct pseudonym) as distinct_names
    from read_parquet(${quoteText(release.output)})`)
  if (!count || count.distinct_names !== count.persons) throw new Error('two persons share a name')
  return { persons: count.persons, withAnchor: count.anchors }
}
