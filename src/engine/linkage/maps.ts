/** The link maps: where every serial of a delivery stands in the list of persons. */
import { Refusal } from '../../core/errors.ts'
import { quoteText, type Session } from '../session.ts'
import { parquetOptions } from '../take-table.ts'
import { isPlain, plainPass } from './persons.ts'
import { rowsOf } from './records.ts'
import { repeatsIn } from './repeats.ts'

/** Ordinal, pass and pattern of a `place`. The patterns are those of `patternsOf`. */
export const place = {
  ordinal: 'nullif(place >> 16, 0) - 1',
  pass: '(place >> 8) & 255',
  pattern: 'place & 255',
} as const

/** The patterns in some tables, in order; those of passes 1 and 2 first. Of some hundreds that can be, some tens occur. */
export async function patternsOf(session: Session, tables: readonly string[]): Promise<string[]> {
  const plain = ['=..=.', '=..-.']
  const met = tables.map((table) => `select pattern from ${table} where pattern is not null`)
  const rows = await session.rows<{ pattern: string }>(`${met.join(' union ')} order by pattern`)
  return [...new Set([...plain, ...rows.map(({ pattern }) => pattern)])]
}

/** A `place` in SQL from columns ordinal, pass and pattern. */
export function placeOf(patterns: readonly string[]): string {
  return packed(`coalesce(list_position(${listOf(patterns)}, pattern), 0)`)
}

function packed(pattern: string): string {
  return `(coalesce(ordinal + 1, 0)::bigint << 16) + (pass::bigint << 8) + ${pattern}`
}

/**
 * Table `linked` (serial, place): the records of one agency with what came of them. A **place** is ordinal, pass and pattern in
 * one number: a map is sorted, and what is sorted should be narrow.
 */
export function linkedSteps(agency: number, patterns: readonly string[]): string[] {
  return [
    `create or replace temp table linked as
    select serial, ${packed('case when pass < 9 then pass else 0 end')} as place
    from (
      select serial, ordinal, ${plainPass} as pass
      from record_${agency}
      left join number_place using (t1)
      where ${isPlain}
    )
    union all
    select serial, ${placeOf(patterns)}
    from (
      select serial, case when late.serial is null then settled.ordinal else late.ordinal end as ordinal,
        coalesce(late.pass, settled.pass) as pass,
        case when late.serial is null then settled.pattern else late.pattern end as pattern
      from settled
      left join late using (agency, serial)
      where agency = ${agency}
    )`,
    // Nothing else places a record that one join has linked.
    `update linked
    set place = late.place
    from (select serial, ${placeOf(patterns)} as place from late where agency = ${agency}) as late
    where linked.serial = late.serial and linked.place >> 16 = 0`,
  ]
}

function listOf(texts: readonly string[]): string {
  return `[${texts.map(quoteText).join(', ')}]`
}

/** Table `delivered`: the serials of one delivery of several, with what came of their records. */
export function deliveredStep(delivery: { files: readonly string[] }): string {
  return `
  create or replace temp table delivered as
  select serial, place
  from (select serial from ${rowsOf(delivery)})
  join linked using (serial)`
}

/**
 * Writes a map: serial VARCHAR, ordinal INTEGER (NULL: not linked), pass TINYINT and pattern VARCHAR (NULL likewise, and of
 * founded), sorted by serial.
 */
export async function writeMap(
  session: Session,
  { from, file, patterns }: { from: string; file: string; patterns: readonly string[] },
): Promise<void> {
  const pattern = `${listOf(patterns)}[${place.pattern}]`
  await session.run(`
    copy (
      select serial, (${place.ordinal})::integer as ordinal,
        case when place >> 16 > 0 then (${place.pass})::tinyint end as pass,
        case when place >> 16 > 0 and ${place.pattern} > 0 then ${pattern} end as pattern
      from (select serial, place from ${from} order by serial)
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
