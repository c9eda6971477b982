/** The link maps: where every serial of a delivery stands in the list of persons. */
import { repeatsIn } from '../repeats.ts'
import { quoteText, type Session } from '../session.ts'
import { parquetOptions } from '../take-table.ts'
import { inTwoParts, placeOf } from './places.ts'
import { type AgencyFiles, recordsFrom, rowsOf } from './records.ts'

/**
 * `linked` (serial, file_row, ordinal, pass, pattern): the records of one agency with what came of them, in the order of
 * `recordsFrom` (those of the spine in none). A view where it is read in one go; a table where several
 * deliveries ask.
 */
export function linkedSteps(
  agency: Pick<AgencyFiles, 'agency' | 'deliveries' | 'isSpine'>,
  isOne: boolean,
): string[] {
  const query = agency.isSpine ? linkedSpineQuery : linkedQuery(agency)
  return [
    'drop view if exists linked',
    'drop table if exists linked_table',
    ...(isOne
      ? [`create temp view linked as ${query}`]
      : [
          `create temp table linked_table as ${query}`,
          'create temp view linked as from linked_table',
        ]),
  ]
}

const linkedSpineQuery = `
  select serial, file_row, ordinal, pass, null::varchar as pattern from spine_link`

/** Reads nothing that is temporary. */
export function linkedQuery(of: Pick<AgencyFiles, 'agency' | 'deliveries'>): string {
  return `
    select serial, file_row, ordinal, pass, pattern
    from (select serial from ${recordsFrom(of)})
    positional join ${placeOf(of.agency)}`
}

/** View `delivered`: the serials of one delivery of several, with what came of their records. */
export function deliveredStep(delivery: { files: readonly string[] }): string {
  return `
  create or replace temp view delivered as
  select linked.*
  from (select serial from ${rowsOf(delivery)})
  join linked using (serial)`
}

/**
 * The statement that writes a map: serial VARCHAR, ordinal INTEGER (NULL: not linked), pass TINYINT and pattern VARCHAR
 * (NULL likewise, and of founded), sorted by serial.
 *
 * @param of.order - what puts the rows into order of serial; undefined: they are. A `file_row` is compared cheaper.
 */
export function mapStep({
  from,
  order,
  file,
}: {
  from: string
  order: 'serial' | 'file_row' | undefined
  file: string
}): string {
  return `
    copy (
      select serial, ordinal, case when ordinal is not null then pass end as pass,
        case when ordinal is not null then pattern end as pattern
      from ${from}
      ${order ? `order by ${order}` : ''}
    ) to ${quoteText(file)} (${parquetOptions})`
}

/**
 * Each serial of a map once: they are sorted, so that neighbours tell.
 *
 * @throws {Refusal} `input-malformed` when a serial is in two parts of a delivery.
 */
export async function requireDistinctSerials(
  session: Session,
  file: string,
  agency: string,
): Promise<void> {
  const serials = await repeatsIn(session, file, 'serial')
  if (serials > 0) throw inTwoParts(agency, serials)
}
