/** The link maps: where every serial of a delivery stands in the list of persons. */
import { Refusal } from '../../core/errors.ts'
import { quoteText, type Session } from '../session.ts'
import { parquetOptions } from '../take-table.ts'
import { placedQuery } from './persons.ts'
import { rowsOf } from './records.ts'

/** Table `linked`: the records of one agency with what came of them. Numbers and K4 are 64-bit hashes. */
export function linkedStep(agency: number): string {
  const placed = placedQuery({ record: `record_${agency}`, where: `agency = ${agency}` })
  return `
  create or replace temp table linked as
  select is_spine, record.serial,
    case when late.serial is null then record.ordinal else late.ordinal end as ordinal,
    coalesce(late.pass, record.pass) as pass,
    case when late.serial is null then record.pattern else late.pattern end as pattern,
    case when record.number is not null then hash(record.number) end as number,
    case when record.t4 is not null then hash(record.t4) end as k4
  from (${placed}) as record
  left join (from late where agency = ${agency}) as late on late.serial = record.serial`
}

/** Table `delivered`: the serials of one delivery of several, with what came of their records. */
export function deliveredStep(delivery: { files: readonly string[] }): string {
  return `
  create or replace temp table delivered as
  select linked.*
  from (select serial from ${rowsOf(delivery)}) as row
  join linked using (serial)`
}

/**
 * Writes a map: serial VARCHAR, ordinal INTEGER (NULL: not linked), pass TINYINT and pattern VARCHAR (NULL likewise, and of
 * founded), sorted by serial.
 */
export async function writeMap(session: Session, from: string, file: string): Promise<void> {
  await session.run(`
    copy (
      select serial, ordinal, case when ordinal is not null then pass end as pass,
        case when ordinal is not null then pattern end as pattern
      from ${from}
      order by serial
    ) to ${quoteText(file)} (${parquetOptions})`)
}

/**
 * Serials are told apart by 64-bit hash, at a third of the cost; where two seem to be one, they are looked at again.
 *
 * @throws {Refusal} `input-malformed` when a serial is in two parts of a delivery.
 */
export async function requireDistinctSerials(
  session: Session,
  from: string,
  agency: string,
): Promise<void> {
  for (const serial of ['hash(serial)', 'serial']) {
    const [repeated] = await session.rows<{ serials: number }>(
      `select count(*) - count(distinct ${serial}) as serials from ${from}`,
    )
    if (!repeated || repeated.serials === 0) return
    if (serial === 'hash(serial)') continue
    throw new Refusal('input-malformed', 'A serial is in two key parts of a delivery.', {
      agency,
      serials: repeated.serials,
    })
  }
}
