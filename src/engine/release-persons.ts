/**
 * The persons of a release: who is in it, who they are called in it, in which order they stand, and from which day their
 * dates count or by how much they are moved. The file stays on the data side; of it only the pseudonym, and from the anchor
 * only its month or year, ever leave.
 */
import { textOf } from '../core/base32.ts'
import { weeksOf } from '../core/dates.ts'
import type { Policy } from '../core/policy.ts'
import type { OnColumn } from './column-function.ts'
import { quoteIdentifier, quoteText, type Session } from './session.ts'
import { parquetOptions } from './take-table.ts'

/** A column of a cohort part. */
export type PartColumn = { file: string; column: string }

export type ReleasePersons = {
  /** Parquet of a linkage: ordinal INTEGER, person UUID. */
  persons: string
  /** Cohort parts with a date of diagnosis each, and that column's name; none: no person has an anchor. */
  diagnoses: readonly PartColumn[]
  /** Person numbers (n × 16 bytes) → pseudonyms of the release's domain (n × 16 bytes). */
  pseudonymsOf: OnColumn
  /** Person numbers → MACs under the date key of the release's domain; given when dates are shifted. */
  shiftOf?: OnColumn
  /** Only persons with a code in one of these columns that begins so, dots not counted. */
  include?: { columns: readonly PartColumn[]; startsWith: readonly string[] }
  sample?: NonNullable<NonNullable<Policy['persons']>['sample']>
  /**
   * Parquet to write, in order of the pseudonym: ordinal INTEGER, pseudonym VARCHAR of 27 characters, rank INTEGER from 0
   * (the order of pseudonyms), anchor DATE (first diagnosis), anchor_month VARCHAR, shift_days INTEGER (a multiple of 7;
   * NULL unless shifted) and hidden BIGINT (0).
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
  const { shiftOf } = release
  if (shiftOf)
    session.registerTextFunction('weeks_of', (column) => weeksOf(shiftOf(column)).map(String))
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
        anchor, strftime(anchor, '%Y-%m') as anchor_month, shift_days, 0::bigint as hidden
      from (
        select ordinal, pseudonym_of(person) as pseudonym,
          ${shiftOf ? '7 * weeks_of(person)::integer' : 'null::integer'} as shift_days
        from read_parquet(${quoteText(release.persons)})
        where ${inclusionOf(release)} and ${sampleOf(release)}
      )
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

function inclusionOf({ include }: ReleasePersons): string {
  if (!include) return 'true'
  const found = include.columns.map(({ file, column }) => {
    const code = `upper(replace(${quoteIdentifier(column)}, '.', ''))`
    const tests = include.startsWith.map(
      (start) => `starts_with(${code}, ${quoteText(start.toUpperCase())})`,
    )
    return `select ordinal from read_parquet(${quoteText(file)}) where ${tests.join(' or ')}`
  })
  return found.length === 0 ? 'false' : `ordinal in (${found.join(' union all ')})`
}

/** By the digest of seed and person: 32 bits as a share of their range. */
function sampleOf({ sample }: ReleasePersons): string {
  if (!sample) return 'true'
  const drawn = `('0x' || left(sha256(${quoteText(sample.seed)} || person::varchar), 8))::bigint`
  return `${drawn} < ${sample.rate} * 4294967296`
}
