/** The link maps: where every serial of a delivery stands in the list of persons. */
import { Refusal } from '../../core/errors.ts'
import { repeatsIn } from '../repeats.ts'
import { quoteText, type Session } from '../session.ts'
import { parquetOptions } from '../take-table.ts'
import { plainPass, plainPattern } from './persons.ts'
import { rowsOf } from './records.ts'

/** Table `placed` (agency, serial, ordinal, pass, pattern): what came of every record that one join does not place. */
export const placedStep = `
  create temp table placed as
  select agency, serial, case when late.serial is null then settled.ordinal else late.ordinal end as ordinal,
    coalesce(late.pass, settled.pass) as pass,
    case when late.serial is null then settled.pattern else late.pattern end as pattern
  from settled
  full join late using (agency, serial)`

/**
 * `linked` (serial, file_row, ordinal, pass, pattern): the records of one agency with what came of them. A view where it
 * is read in one go, in the order of the agency's file (those of the spine in order of serial); a table where several
 * deliveries ask.
 */
export function linkedSteps(
  { agency, isSpine }: { agency: number; isSpine: boolean },
  isOne: boolean,
): string[] {
  const query = isSpine ? linkedSpineQuery : linkedQuery(agency)
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
  select serial, null::bigint as file_row, ordinal, pass, null::varchar as pattern from spine_link`

function linkedQuery(agency: number): string {
  return `
    select record.serial, file_row, coalesce(record.ordinal, placed.ordinal) as ordinal,
      coalesce(placed.pass, record.pass) as pass,
      case when record.ordinal is null then placed.pattern else record.pattern end as pattern
    from (
      select serial, file_row, ordinal, ${plainPass} as pass, ${plainPattern} as pattern
      from record_${agency}
      left join number_place using (t1)
    ) as record
    -- Nothing else places a record that one join has linked.
    left join (from placed where agency = ${agency}) as placed
      on placed.serial = case when record.ordinal is null then record.serial end`
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
 * Writes a map: serial VARCHAR, ordinal INTEGER (NULL: not linked), pass TINYINT and pattern VARCHAR (NULL likewise, and of
 * founded), sorted by serial.
 *
 * @param of.order - what puts the rows into order of serial: a `file_row` is compared cheaper than a text, and rows that
 *   are in order already are not compared.
 */
export async function writeMap(
  session: Session,
  { from, order, file }: { from: string; order: 'serial' | 'file_row' | undefined; file: string },
): Promise<void> {
  await session.run(`
    copy (
      select serial, ordinal, case when ordinal is not null then pass end as pass,
        case when ordinal is not null then pattern end as pattern
      from ${from}
      ${order ? `order by ${order}` : ''}
    ) to ${quoteText(file)} (${parquetOptions})`)
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
  if (serials === 0) return
  throw new Refusal('input-malformed', 'A serial is in two key parts of a delivery.', {
    agency,
    serials,
  })
}
